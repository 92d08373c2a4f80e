"""From definitions to rows, inside one transaction: what is already so is not written again."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.adapters.catalog_sqlite import facts
from reconciler.adapters.catalog_sqlite.connection import Connection, Value
from reconciler.adapters.catalog_sqlite.definition_values import (
    OWN,
    Pairs,
    Said,
    Sayings,
    bundle_ref,
    private_rows,
)
from reconciler.adapters.catalog_sqlite.definitions import (
    CONTENT_USES,
    DEFAULT_SETUP,
    REFERRERS,
    SOURCE_KINDS,
    TABLES,
    Mapped,
    Slot,
)
from reconciler.model.errors import OverlayError
from reconciler.model.json import JsonMap, canonical
from reconciler.model.ref import Ref
from reconciler.ports.catalog import ContentRef, Definition


class DefinitionWriter:
    """`loose` collects ids of payloads that lost a user; `sweep` deletes those without any."""

    __slots__ = ("_connection", "_now", "_sayings", "loose")

    def __init__(self, connection: Connection, now: Callable[[], str]) -> None:
        self._connection = connection
        self._now = now
        self._sayings = Sayings(connection)
        self.loose: set[int] = set()

    def put(self, definition: Definition, auth_ref: str) -> None:
        """Insert or update, found by uid or name. Raises OverlayError `catalog.dangling`, `catalog.name_taken`."""
        mapped = TABLES.get(definition.ref.kind)
        spec = facts.copy(definition.facts)
        if mapped is None:
            self._put_plain(definition, spec)
            return
        name = definition.ref.name.rpartition("/")[2]
        said = self._sayings.of(mapped, definition.ref, spec)
        joined = {item.table: self._sayings.joined(item.kind, name, spec, definition.ref) for item in mapped.joined}
        for one in mapped.joined:
            said.set(OWN, one.column, joined[one.table])
        contents = dict(definition.contents)
        self._slots(mapped, spec, contents, joined, said)
        private = [(item, private_rows(item, spec, contents, said)) for item in mapped.private]
        for path in said.carried:
            facts.drop(spec, path)
        if mapped.kind == "AuthProfile":
            said.set(OWN, "bundle_ref", auth_ref or bundle_ref(definition.contents))
        row_id = self._put_row(mapped, definition, name, said, spec)
        for table, joined_id in joined.items():
            self._update_joined(table, joined_id, said)
        for item in mapped.members:
            ids = said.members[item.path]
            if ids is not None:
                rows: list[tuple[Value, ...]] = [(one, ordinal) for ordinal, one in enumerate(ids)]
                owner = joined[item.of] if item.of else row_id
                self._replace_rows(item.table, item.owner, owner, ("skill_package_id", "ordinal"), rows)
        for of, found in private:
            self._replace_rows(of.table, of.owner, row_id, ("name", "source_path", "mode", "ordinal"), found)
        self._put_extras(mapped.kind, row_id, contents)

    def drop(self, ref: Ref) -> None:
        """Delete; unknown is no error. Raises OverlayError `catalog.referenced`, `catalog.ambiguous`."""
        mapped = TABLES.get(ref.kind)
        if mapped is None:
            found = self._connection.row("SELECT id FROM definition WHERE kind = ? AND name = ?", ref)
            if found is not None:
                self._let_go(ref.kind, found[0], ())
                self._connection.run("DELETE FROM definition WHERE id = ?", found)
            return
        row = self._row_to_drop(mapped, ref)
        if row is None:
            return
        row_id = int(str(row["id"]))
        if ref.kind == "Setup" and row["name"] == DEFAULT_SETUP:
            # Without a setup of this name the provider's own is meant again.
            self._connection.run("UPDATE presets SET setup_profile_id = NULL WHERE setup_profile_id = ?", (row_id,))
        self._refuse_referenced(ref, row_id)
        self._let_go(ref.kind, row_id, [row[slot.column] for slot in mapped.slots if slot.of == OWN])
        self._connection.run(f"DELETE FROM {mapped.table} WHERE id = ?", (row_id,))
        # What a specialist derived goes with it, unless somebody else uses it.
        for item in reversed(mapped.joined):
            self._drop_derived(item.kind, row[item.column])

    def sweep(self) -> list[str]:
        """Delete payload rows that nobody uses any more; their paths below `content/`, sorted."""
        freed: list[str] = []
        unused = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM {table} WHERE {column} = content_refs.id)" for table, column in CONTENT_USES
        )
        for content_id in sorted(self.loose):
            found = self._connection.row(
                f"SELECT relative_path FROM content_refs WHERE id = ? AND {unused}", (content_id,)
            )
            if found is not None:
                freed.append(found[0])
                self._connection.run("DELETE FROM content_refs WHERE id = ?", (content_id,))
        self.loose.clear()
        return sorted(freed)

    # -- rows

    def _slots(
        self,
        mapped: Mapped,
        spec: JsonMap,
        contents: dict[str, ContentRef],
        joined: Mapping[str, int],
        said: Said,
    ) -> None:
        """Payloads with a column; what is left in `contents` has none."""
        for slot in mapped.slots:
            if slot.shown and (slot.of in joined or any(path in contents for path in slot.paths)):
                # Digest and size are the row's to say; what stays is which of the paths was used.
                for path in slot.paths:
                    if facts.is_digest(facts.at(spec, path)) and self._has_payload(slot, path, contents, joined):
                        facts.put(spec, path, dict(facts.MARK))
            key = next((path for path in slot.paths if path in contents), None)
            if key is not None:
                said.set(slot.of, slot.column, self._content(contents.pop(key)))
            elif slot.of == OWN:
                said.set(OWN, slot.column, None)
            if slot.word:
                said.set(OWN, slot.word, slot.words[slot.paths.index(key)] if key is not None else None)

    def _has_payload(
        self, slot: Slot, path: str, contents: Mapping[str, ContentRef], joined: Mapping[str, int]
    ) -> bool:
        if path in contents or slot.of == OWN:
            return path in contents
        found = self._connection.row(f"SELECT {slot.column} FROM {slot.of} WHERE id = ?", (joined[slot.of],))
        return found is not None and found[0] is not None

    def _put_row(self, mapped: Mapped, definition: Definition, name: str, said: Said, rest: JsonMap) -> int:
        values = said.values[OWN]
        for (of, column), keyed in said.keyed.items():
            if of == OWN:
                values[column] = _with_keys({}, keyed)
        values[mapped.name] = name
        values["spec_payload"] = canonical(rest)
        row = self._existing(mapped, definition, name, values)
        if row is None:
            if definition.uid is not None:
                values["uid"] = definition.uid
            if "bundle_ref" in values and not values["bundle_ref"]:
                values["bundle_ref"] = os.urandom(16).hex()
            for stamp in mapped.stamps:
                values[stamp] = self._now()
            return self._insert(mapped.table, values)
        if definition.uid is not None:
            values["uid"] = definition.uid
        values.pop("bundle_ref", None)  # minted once
        changed = {column: value for column, value in values.items() if row[column] != value}
        row_id = int(str(row["id"]))
        if changed:
            self._renamed(mapped, row, changed)
            self._loosen(row[slot.column] for slot in mapped.slots if slot.column in changed)
            if mapped.stamps:
                changed["updated_at"] = self._now()
            self._update(mapped.table, row_id, changed)
        return row_id

    def _existing(
        self, mapped: Mapped, definition: Definition, name: str, values: Mapping[str, Value]
    ) -> dict[str, Value] | None:
        where, arguments = f"{mapped.name} = ?", [name]
        if mapped.tool:
            where += f" AND {mapped.tool} = ?"
            arguments.append(str(values[mapped.tool]))
        rows = self._connection.named_rows(
            f"SELECT * FROM {mapped.table} WHERE ({where}) OR uid = ?", [*arguments, definition.uid]
        )
        if len(rows) > 1:
            raise OverlayError(
                f"{definition.ref} cannot take this name: another {mapped.kind} has it",
                code="catalog.name_taken",
                hint="remove or rename the other one first",
                ref=str(definition.ref),
            )
        return rows[0] if rows else None

    def _renamed(self, mapped: Mapped, row: Mapping[str, Value], changed: Mapping[str, Value]) -> None:
        """Launch profiles refer to their source by name: they follow it (R-MOD-14a)."""
        word = SOURCE_KINDS.get(mapped.kind)
        if word is not None and mapped.name in changed:
            self._connection.run(
                "UPDATE launch_profiles SET source_name = ? WHERE source_kind = ? AND source_name = ?",
                (changed[mapped.name], word, row[mapped.name]),
            )

    def _update_joined(self, table: str, row_id: int, said: Said) -> None:
        """Write through to the derived row: one definition, seen from two kinds."""
        values = dict(said.values.get(table, {}))
        keyed = {column: pairs for (of, column), pairs in said.keyed.items() if of == table}
        if not values and not keyed:
            return
        row = self._connection.named_rows(f"SELECT * FROM {table} WHERE id = ?", (row_id,))[0]
        for column, pairs in keyed.items():
            whole = facts.from_text(row[column])
            values[column] = _with_keys(whole if isinstance(whole, dict) else {}, pairs)
        changed = {column: value for column, value in values.items() if row[column] != value}
        if changed:
            self._loosen(row[column] for column in changed if (table, column) in CONTENT_USES)
            self._update(table, row_id, changed)

    def _put_plain(self, definition: Definition, spec: JsonMap) -> None:
        kind, name = definition.ref
        rows = self._connection.named_rows(
            "SELECT * FROM definition WHERE kind = ? AND (name = ? OR uid = ?)", (kind, name, definition.uid)
        )
        payload = canonical(spec)
        if not rows:
            row_id = self._insert("definition", {"kind": kind, "name": name, "uid": definition.uid, "payload": payload})
        else:
            row = rows[0]
            row_id = int(str(row["id"]))
            wanted: dict[str, Value] = {"name": name, "payload": payload, "uid": definition.uid or row["uid"]}
            changed = {column: value for column, value in wanted.items() if row[column] != value}
            if changed:
                self._update("definition", row_id, changed)
        self._put_extras(kind, row_id, definition.contents)

    def _replace_rows(
        self, table: str, owner: str, owner_id: int, columns: Sequence[str], wanted: list[tuple[Value, ...]]
    ) -> None:
        names = ", ".join(columns)
        have = self._connection.rows(f"SELECT {names} FROM {table} WHERE {owner} = ? ORDER BY ordinal", (owner_id,))
        if have == wanted:
            return
        self._connection.run(f"DELETE FROM {table} WHERE {owner} = ?", (owner_id,))
        for values in wanted:
            marks = ", ".join("?" * (len(columns) + 1))
            self._connection.run(f"INSERT INTO {table} ({owner}, {names}) VALUES ({marks})", (owner_id, *values))

    def _content(self, content: ContentRef) -> int:
        """The row of a payload, by its path."""
        values: dict[str, Value] = {
            "content_kind": content.kind,
            "storage_kind": "tree" if content.tree else "file",
            "relative_path": content.relative_path,
            "sha256": content.digest.removeprefix("sha256:"),
            "size": content.size,
        }
        rows = self._connection.named_rows(
            "SELECT * FROM content_refs WHERE relative_path = ?", (content.relative_path,)
        )
        if not rows:
            return self._insert("content_refs", {**values, "created_at": self._now()})
        row_id = int(str(rows[0]["id"]))
        changed = {column: value for column, value in values.items() if rows[0][column] != value}
        if changed:
            self._update("content_refs", row_id, changed)
        return row_id

    def _put_extras(self, kind: str, row_id: int, contents: Mapping[str, ContentRef]) -> None:
        wanted = {path: self._content(content) for path, content in contents.items()}
        have: dict[str, int] = dict(
            self._connection.rows(
                "SELECT path, content_ref_id FROM definition_content WHERE kind = ? AND row_id = ?", (kind, row_id)
            )
        )
        for path in sorted(have.keys() | wanted.keys()):
            if have.get(path) == wanted.get(path):
                continue
            if path in have:
                self.loose.add(have[path])
                self._connection.run(
                    "DELETE FROM definition_content WHERE kind = ? AND row_id = ? AND path = ?", (kind, row_id, path)
                )
            if path in wanted:
                self._connection.run(
                    "INSERT INTO definition_content (kind, row_id, path, content_ref_id) VALUES (?, ?, ?, ?)",
                    (kind, row_id, path, wanted[path]),
                )

    # -- leaving

    def _row_to_drop(self, mapped: Mapped, ref: Ref) -> dict[str, Value] | None:
        tool, slash, name = ref.name.rpartition("/")
        rows = self._connection.named_rows(f"SELECT * FROM {mapped.table} WHERE {mapped.name} = ?", (name,))
        if mapped.tool and slash:
            rows = [row for row in rows if row[mapped.tool] == tool]
        if len(rows) > 1:
            rows = [row for row in rows if row["uid"] is not None] or rows
        if len(rows) > 1:
            tools = ", ".join(sorted(str(row[mapped.tool]) for row in rows))
            raise OverlayError(
                f"several providers have a {ref}: {tools}",
                code="catalog.ambiguous",
                hint=f"write {mapped.kind}/<provider>/{name}",
                ref=str(ref),
            )
        return rows[0] if rows else None

    def _referrers(self, kind: str, row_id: int) -> list[Ref]:
        return sorted(
            Ref(who, name) for who, sql in REFERRERS.get(kind, ()) for (name,) in self._connection.rows(sql, (row_id,))
        )

    def _refuse_referenced(self, ref: Ref, row_id: int) -> None:
        users = self._referrers(ref.kind, row_id)
        if users:
            raise OverlayError(
                f"{ref} is still referenced by {', '.join(map(str, users))}",
                code="catalog.referenced",
                hint="remove what refers to it first, or let it refer to something else",
                ref=str(ref),
            )

    def _drop_derived(self, kind: str, row_id: Value) -> None:
        mapped, number = TABLES[kind], int(str(row_id))
        row = self._connection.named_rows(f"SELECT * FROM {mapped.table} WHERE id = ?", (number,))
        if not row or self._referrers(kind, number):
            return
        self._let_go(kind, number, [row[0][slot.column] for slot in mapped.slots])
        self._connection.run(f"DELETE FROM {mapped.table} WHERE id = ?", (number,))

    def _let_go(self, kind: str, row_id: int, own: Sequence[Value]) -> None:
        """Remember whose payloads may now be unused."""
        self._loosen(own)
        found = self._connection.rows(
            "SELECT content_ref_id FROM definition_content WHERE kind = ? AND row_id = ?", (kind, row_id)
        )
        self.loose.update(content_id for (content_id,) in found)

    def _loosen(self, ids: Iterable[Value]) -> None:
        self.loose.update(content_id for content_id in ids if isinstance(content_id, int))

    # -- statements

    def _insert(self, table: str, values: Mapping[str, Value]) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self._connection.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return cursor.lastrowid or 0

    def _update(self, table: str, row_id: int, values: Mapping[str, Value]) -> None:
        names = ", ".join(f"{column} = ?" for column in values)
        self._connection.run(f"UPDATE {table} SET {names} WHERE id = ?", (*values.values(), row_id))


def _with_keys(whole: JsonMap, pairs: Pairs) -> str:
    """The text of a JSON object with these keys set, or removed together with what they leave empty."""
    for key, value in pairs:
        if not isinstance(value, facts.Nothing):
            facts.put(whole, key, value)
            continue
        facts.drop(whole, key)
        parent = key.rpartition(".")[0]
        while parent and facts.at(whole, parent) == {}:
            facts.drop(whole, parent)
            parent = parent.rpartition(".")[0]
    return canonical(whole)
