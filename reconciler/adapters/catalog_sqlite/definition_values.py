"""What a spec says, sorted by table and column; references become ids here."""

from collections.abc import Mapping

from reconciler.adapters.catalog_sqlite import facts
from reconciler.adapters.catalog_sqlite.connection import Connection, Value
from reconciler.adapters.catalog_sqlite.definitions import (
    DEFAULT_SETUP,
    TABLES,
    Column,
    Link,
    Mapped,
    Private,
    recipe_name,
)
from reconciler.model.errors import OverlayError
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.ports.catalog import ContentRef

OWN = ""
"""The definition's own table, where tables are named."""

Pairs = list[tuple[str, facts.Answer]]


class Said:
    """The column values of one definition.

    In a table that it only refers to (a specialist's recipe), what the spec does not say is left as it is: the derived
    definition, written just before, has said it.
    """

    __slots__ = ("carried", "keyed", "members", "values")

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Value]] = {OWN: {}}
        self.keyed: dict[tuple[str, str], Pairs] = {}
        """Table and JSON column to keys and values; NOTHING removes the key."""
        self.members: dict[str, list[int] | None] = {}
        """Path of a list of skills to their ids; None leaves the rows alone."""
        self.carried: set[str] = set()
        """Paths that a column holds: `spec_payload` leaves them out."""

    def set(self, of: str, column: str, value: Value) -> None:
        self.values.setdefault(of, {})[column] = value


class Sayings:
    """Reads specs; asks the connection for the ids behind names."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, mapped: Mapped, ref: Ref, spec: JsonMap) -> Said:
        """Everything but payloads and rows of private lists. Raises `catalog.dangling`, `catalog.ambiguous`."""
        said = Said()
        for column in mapped.columns:
            _say_column(column, spec, said)
        _say_choice(mapped, spec, said)
        for link in mapped.links:
            name = facts.at(spec, link.path)
            target = self._linked(link, name, spec, ref) if isinstance(name, str) and name else None
            if target is not None:
                said.carried.add(link.path)
                said.set(link.of, link.column, target)
            elif link.of == OWN:
                said.set(OWN, link.column, None)
        for item in mapped.members:
            names = facts.at(spec, item.path)
            if _is_list_of_names(names):
                said.carried.add(item.path)
                said.members[item.path] = [self.find("Skill", str(name), None, ref) for name in _items(names)]
            else:
                said.members[item.path] = [] if item.of == OWN else None
        return said

    def _linked(self, link: Link, name: str, spec: JsonMap, ref: Ref) -> int | None:
        """The id behind a reference; None for a built-in name that nobody declared."""
        tool = self._tool(spec)
        if name == link.built_in and not self._ids(link.target, name, tool):
            return None
        return self.find(link.target, name, tool, ref)

    def joined(self, kind: str, name: str, spec: JsonMap, ref: Ref) -> int:
        """The id of the row that a specialist derived, which the same transaction wrote before."""
        if kind == "Role":
            return self.find("Role", name, None, ref)
        provider, setup = facts.at(spec, "provider"), facts.at(spec, "setupRef")
        setup = setup if isinstance(setup, str) and setup else DEFAULT_SETUP
        return self.find("Recipe", recipe_name(name, str(provider), setup), None, ref)

    def find(self, kind: str, name: str, tool: str | None, ref: Ref) -> int:
        """The id of the row that `ref` refers to as `kind/name`, of provider `tool` where names are per provider."""
        found = self._ids(kind, name, tool)
        if len(found) == 1:
            return found[0]
        wanted = f"{kind}/{name}" + (f" of provider {tool}" if TABLES[kind].tool and tool is not None else "")
        if found:
            raise OverlayError(
                f"{ref} refers to {wanted}, and several providers have one",
                code="catalog.ambiguous",
                hint="apply the specialist or recipe it builds on first: that one says the provider",
                ref=str(ref),
            )
        raise OverlayError(
            f"{ref} refers to {wanted}, which the catalog does not have",
            code="catalog.dangling",
            hint=f"declare {kind}/{name} in the same apply, or correct the reference",
            ref=str(ref),
        )

    def _ids(self, kind: str, name: str, tool: str | None) -> list[int]:
        target = TABLES[kind]
        sql, arguments = f"SELECT id FROM {target.table} WHERE {target.name} = ?", [name]
        if target.tool and tool is not None:
            sql += f" AND {target.tool} = ?"
            arguments.append(tool)
        return [int(row[0]) for row in self._connection.rows(sql, arguments)]

    def _tool(self, spec: JsonMap) -> str | None:
        """The provider a spec speaks of: its own, or that of what a launch profile builds on."""
        provider = facts.at(spec, "provider")
        if isinstance(provider, str):
            return provider
        for path, table in (("specialistRef", "specialists"), ("recipeRef", "presets")):
            name = facts.at(spec, path)
            if isinstance(name, str):
                found = self._connection.row(f"SELECT tool FROM {table} WHERE name = ?", (name,))
                return str(found[0]) if found else None
        return None


def private_rows(
    item: Private, spec: JsonMap, contents: Mapping[str, ContentRef], said: Said
) -> list[tuple[Value, ...]]:
    """Rows `(name, source_path, mode, ordinal)`, or none when one of the list is not of that shape."""
    rows: list[tuple[Value, ...]] = []
    for ordinal, one in enumerate(_items(facts.at(spec, item.path))):
        if not isinstance(one, dict) or set(one) != {"name", "path", "mode"}:
            return []
        name, path, mode = one["name"], one["path"], one["mode"]
        content = contents.get(item.payload(str(name)))
        if content is not None and path == {"digest": content.digest, "size": content.size}:
            path = content.relative_path
        if not isinstance(name, str) or not isinstance(path, str) or mode not in ("copy", "symlink"):
            return []
        rows.append((name, path, str(mode), ordinal))
    if not rows or any(len({row[place] for row in rows}) != len(rows) for place in (0, 1)):
        return []
    said.carried.add(item.path)
    return rows


def bundle_ref(contents: Mapping[str, ContentRef]) -> str:
    """A credential bundle's id as its path says it (`auth/<tool>/<32 hex>`), or an empty text."""
    for content in contents.values():
        last = content.relative_path.rpartition("/")[2]
        if len(last) == 32 and set(last) <= set("0123456789abcdef"):
            return last
    return ""


def _say_column(column: Column, spec: JsonMap, said: Said) -> None:
    value = facts.fit(column.form, facts.at(spec, column.path))
    if (column.choices and value not in column.choices) or (not column.key and value == column.absent):
        value = facts.NOTHING
    silent = isinstance(value, facts.Nothing)
    if not silent:
        said.carried.add(column.path)
    elif column.of != OWN:
        return
    if column.key:
        said.keyed.setdefault((column.of, column.column), []).append((column.key, value))
    elif isinstance(value, facts.Nothing):
        said.set(OWN, column.column, "{}" if column.form == "object" else column.absent if column.required else None)
    else:
        said.set(column.of, column.column, facts.stored(value))


def _say_choice(mapped: Mapped, spec: JsonMap, said: Said) -> None:
    choice = mapped.choice
    if choice is None:
        return
    chosen, name = choice.paths[0], ""
    for option in choice.paths:
        value = facts.at(spec, option[0])
        if isinstance(value, str) and value:
            chosen, name = option, value
            said.carried.add(option[0])
            break
    said.set(OWN, choice.column, name)
    said.set(OWN, choice.lane, chosen[1])
    said.set(OWN, choice.kind, chosen[2])


def _items(value: facts.Answer) -> list[Json]:
    return value if isinstance(value, list) else []


def _is_list_of_names(value: facts.Answer) -> bool:
    names = [name for name in _items(value) if isinstance(name, str) and name]
    return bool(names) and len(set(names)) == len(_items(value))
