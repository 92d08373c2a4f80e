"""From rows to definitions: one query per table, whatever the number of rows."""

from collections.abc import Mapping
from functools import cache

from reconciler.adapters.catalog_sqlite import facts
from reconciler.adapters.catalog_sqlite.connection import Connection, Row
from reconciler.adapters.catalog_sqlite.definitions import TABLES, Column, Mapped, Private, Slot
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.ports.catalog import ContentRef, Definition

Cells = Mapping[str, Json]

_CONTENT_COLUMNS = ("content_kind", "relative_path", "storage_kind", "sha256", "size")


def read(connection: Connection, kind: str) -> dict[str, Definition]:
    """Definitions of one kind by name.

    Names of setups and credentials are unique per provider only. Where two share one, the row with a uid keeps the
    plain name and the others are `<provider>/<name>`.
    """
    extras = _extras(connection, kind)
    mapped = TABLES.get(kind)
    if mapped is None:
        return _plain(connection, kind, extras)
    members = {item.path: _members(connection, item.table, item.owner) for item in mapped.members}
    private = {item.path: _private(connection, item) for item in mapped.private}
    found: list[tuple[str, Cells]] = [(str(cells["name"]), cells) for cells in connection.named_rows(query(mapped))]
    keys = _keys(mapped, found)
    definitions: dict[str, Definition] = {}
    for key, (name, cells) in zip(keys, found, strict=True):
        spec = facts.from_text(cells["spec_payload"])
        spec = spec if isinstance(spec, dict) else {}
        _decode(mapped, cells, spec)
        for item in mapped.members:
            _set_list(spec, item.path, members[item.path].get(_owner(cells, item.of)))
        contents = _contents(mapped, cells, spec)
        contents.update(extras.get(_owner(cells, ""), {}))
        for one in mapped.private:
            _set_list(spec, one.path, _with_payloads(one, private[one.path].get(_owner(cells, "")), contents))
        uid = cells["uid"]
        definitions[key] = Definition(Ref(kind, name), spec, contents, Uid(str(uid)) if uid is not None else None)
    return definitions


@cache
def query(mapped: Mapped) -> str:
    """The one SELECT of a kind: own columns, joined tables, names behind links, payloads behind slots."""
    wanted = ["t.id AS id", f"t.{mapped.name} AS name", "t.uid AS uid", "t.spec_payload AS spec_payload"]
    joins = [f"LEFT JOIN {item.table} ON {item.table}.id = t.{item.column}" for item in mapped.joined]
    wanted += [f"{item.table}.id AS '{item.table}.id'" for item in mapped.joined]
    wanted += sorted({f"{_of(column.of)}.{column.column} AS '{cell(column)}'" for column in mapped.columns})
    for number, link in enumerate(mapped.links):
        target = TABLES[link.target]
        joins.append(f"LEFT JOIN {target.table} AS l{number} ON l{number}.id = {_of(link.of)}.{link.column}")
        wanted.append(f"l{number}.{target.name} AS 'link.{link.path}'")
    for number, slot in enumerate(mapped.slots):
        joins.append(f"LEFT JOIN content_refs AS c{number} ON c{number}.id = {_of(slot.of)}.{slot.column}")
        wanted += [f"c{number}.{column} AS 'slot{number}.{column}'" for column in _CONTENT_COLUMNS]
        if slot.word:
            wanted.append(f"t.{slot.word} AS 't.{slot.word}'")
    if mapped.choice is not None:
        wanted += [f"t.{mapped.choice.column} AS choice_name", f"t.{mapped.choice.kind} AS choice_kind"]
    return f"SELECT {', '.join(wanted)} FROM {mapped.table} AS t {' '.join(joins)} ORDER BY name, t.id"


def cell(column: Column) -> str:
    """The name of a column's value in a row of `query`."""
    return f"{_of(column.of)}.{column.column}"


def _of(table: str) -> str:
    return table or "t"


def _owner(cells: Cells, of: str) -> int:
    value = cells[f"{of}.id" if of else "id"]
    return value if isinstance(value, int) else 0


def _keys(mapped: Mapped, found: list[tuple[str, Cells]]) -> list[str]:
    if not mapped.tool:
        return [name for name, _ in found]
    times: dict[str, int] = {}
    for name, _ in found:
        times[name] = times.get(name, 0) + 1
    return [
        name if times[name] == 1 or cells["uid"] is not None else f"{cells[f't.{mapped.tool}']}/{name}"
        for name, cells in found
    ]


def _decode(mapped: Mapped, cells: Cells, spec: JsonMap) -> None:
    """Lay what the columns say over what `spec_payload` says."""
    witnesses: dict[str, list[facts.Answer]] = {}
    objects: dict[str, Json] = {}
    for column in mapped.columns:
        witnesses.setdefault(column.path, []).append(_answer(column, cells, objects))
    for path, answers in witnesses.items():
        answer = _odd_one(answers)
        if not isinstance(answer, facts.Nothing):
            facts.put(spec, path, answer)
    for link in mapped.links:
        name = cells[f"link.{link.path}"]
        if name is not None:
            facts.put(spec, link.path, name)
    if mapped.choice is not None:
        for path, _, kind in mapped.choice.paths:
            if cells["choice_kind"] == kind and cells["choice_name"] != "":
                facts.put(spec, path, cells["choice_name"])


def _answer(column: Column, cells: Cells, objects: dict[str, Json]) -> facts.Answer:
    name = cell(column)
    value = cells[name]
    if column.form == "object" or column.key:
        if name not in objects:
            objects[name] = facts.from_text(value)
        whole = objects[name]
        if column.key:
            found = facts.at(whole, column.key)
            return found if isinstance(found, facts.Nothing) else facts.unfit(column.form, found)
        return facts.unfit(column.form, whole)
    if value == column.absent:
        return facts.NOTHING
    return facts.unfit(column.form, value)


def _odd_one(answers: list[facts.Answer]) -> facts.Answer:
    """Several columns say the same; where one does not, it is the one that somebody changed."""
    for answer in answers:
        if answers.count(answer) == 1 and not isinstance(answer, facts.Nothing):
            return answer
    return answers[0]


def _contents(mapped: Mapped, cells: Cells, spec: JsonMap) -> dict[str, ContentRef]:
    contents: dict[str, ContentRef] = {}
    for number, slot in enumerate(mapped.slots):
        values = [cells[f"slot{number}.{column}"] for column in _CONTENT_COLUMNS]
        if values[1] is None:
            for path in slot.paths:
                if facts.at(spec, path) == facts.MARK:  # somebody took the payload away
                    facts.drop(spec, path)
            continue
        content = content_ref(tuple(values))
        path = _spoken(slot, spec, cells.get(f"t.{slot.word}"))
        contents[path] = content
        said = facts.at(spec, path)
        # An empty payload where the spec says nothing is the same nothing: a specialist without a prompt.
        if slot.shown and (
            facts.is_digest(said) or (content.size and (said is None or isinstance(said, facts.Nothing)))
        ):
            facts.put(spec, path, {"digest": content.digest, "size": content.size})
    return contents


def _spoken(slot: Slot, spec: JsonMap, word: Json) -> str:
    """Which of the slot's paths this definition uses; where a column says another sort, that column is right."""
    used = next((path for path in slot.paths if facts.is_digest(facts.at(spec, path))), None)
    if word not in slot.words:
        return used or slot.paths[0]
    if used is not None and slot.words[slot.paths.index(used)] == word:
        return used
    if used is not None:
        facts.drop(spec, used)
    return slot.paths[slot.words.index(str(word))]


def content_ref(row: Row) -> ContentRef:
    """A row of kind, path, storage, hash and size."""
    kind, path, storage, sha256, size = row
    digest = f"sha256:{sha256}" if len(sha256) == 64 else sha256
    return ContentRef(kind, path, storage == "tree", digest, size)


def _set_list(spec: JsonMap, path: str, found: list[Json] | None) -> None:
    if found:
        facts.put(spec, path, list(found))


def _members(connection: Connection, table: str, owner: str) -> dict[int, list[Json]]:
    rows = connection.rows(
        f"SELECT {owner}, name FROM {table} JOIN skill_packages ON id = skill_package_id"
        f" ORDER BY {owner}, ordinal, name"
    )
    found: dict[int, list[Json]] = {}
    for one, name in rows:
        found.setdefault(one, []).append(name)
    return found


def _private(connection: Connection, item: Private) -> dict[int, list[Json]]:
    sql = f"SELECT {item.owner}, name, source_path, mode FROM {item.table} ORDER BY {item.owner}, ordinal"
    found: dict[int, list[Json]] = {}
    for one, name, path, mode in connection.rows(sql):
        found.setdefault(one, []).append({"name": name, "path": path, "mode": mode})
    return found


def _with_payloads(item: Private, found: list[Json] | None, contents: Mapping[str, ContentRef]) -> list[Json] | None:
    """Digest and size in place of the path of each payload that is known."""
    for one in found or ():
        if isinstance(one, dict):
            content = contents.get(item.payload(str(one["name"])))
            if content is not None and content.relative_path == one["path"]:
                one["path"] = {"digest": content.digest, "size": content.size}
    return found


def _extras(connection: Connection, kind: str) -> dict[int, dict[str, ContentRef]]:
    columns = ", ".join(_CONTENT_COLUMNS)
    rows = connection.rows(
        f"SELECT row_id, path, {columns} FROM definition_content JOIN content_refs ON id = content_ref_id"
        " WHERE kind = ? ORDER BY row_id, path",
        (kind,),
    )
    found: dict[int, dict[str, ContentRef]] = {}
    for row_id, path, *values in rows:
        found.setdefault(row_id, {})[path] = content_ref(tuple(values))
    return found


def _plain(connection: Connection, kind: str, extras: dict[int, dict[str, ContentRef]]) -> dict[str, Definition]:
    rows = connection.rows("SELECT id, name, uid, payload FROM definition WHERE kind = ? ORDER BY name", (kind,))
    found: dict[str, Definition] = {}
    for row_id, name, uid, payload in rows:
        spec = facts.from_text(payload)
        contents = extras.get(row_id, {})
        for path, content in contents.items():
            if facts.is_digest(facts.at(spec, path)) and isinstance(spec, dict):
                facts.put(spec, path, {"digest": content.digest, "size": content.size})
        found[name] = Definition(
            Ref(kind, name), spec if isinstance(spec, dict) else {}, contents, Uid(uid) if uid is not None else None
        )
    return found
