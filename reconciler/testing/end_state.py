"""Everything a run leaves behind, as one comparable value: what is equal between two runs that came to the same end.

Uids, session names, launch times and the like differ from run to run; each is replaced by what it stands for, so that a
record that names the wrong session still differs from one that names the right one. Leftovers (a temp file, a second
session, an open intent) have no counterpart in a clean run and show up as themselves.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import zip_longest

from reconciler.app import gate
from reconciler.engine import kept
from reconciler.engine.discover import built_in
from reconciler.model.json import Json, digest
from reconciler.ports.catalog import InventoryRow
from reconciler.ports.gateway import Running
from reconciler.ports.process import ProcessFacts
from reconciler.ports.tmux import Listing
from reconciler.testing.world import World

State = dict[str, object]

_TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)")
_STAMPED = re.compile(r"\d{8}-\d{6}Z-[0-9a-f]{8}")
_TOKENS = re.compile(r'("?fencing_token"?: ?)\d+')
_UNSTAMPED = re.compile(r" \d{15,} \d+")
_ASIDE = re.compile(r"\.aside-\d+")
_DERIVED_DIGESTS = re.compile(
    r'((?<!launch_)digest: |"kind": "prompt", "name": "[^"]*", "digest": |'
    r'"(?:owner\.json|launch\.sh|ROLE\.md|config\.json)": )"sha256:[0-9a-f]{64}"'
)
"""Digests over text that names uids and paths."""
_SKIPPED = ("catalog.sqlite", "lock", "fingerprint.key", gate.FILE)
_NOT_OURS = ("conversations", "__pycache__", kept.FOLDER)  # two ways to one end may have kept different things
_HANDLES = ("session", "session_name", "pane", "pid", "ticks", "mark", "record", "record_file", "boot")
_GATEWAY = ("gateway_pid", "gateway_ticks")


def end_state(world: World) -> State:
    """Inventory, definitions, open work, records, sessions, processes and files, all by name."""
    seen = _Seen(world)
    reader, names, panes = seen.reader, seen.names, seen.panes
    mine = {row.uid: row.ref.name for row in seen.rows if row.ref.kind == "Instance"}
    bearing = reader.process.bearing(list(mine))
    assert isinstance(bearing, Mapping)
    return {
        "inventory": {str(row.ref): _plain(row._replace(live=_live(seen, row)), names) for row in seen.rows},
        "definitions": {
            f"{kind}/{name}": _plain(found, names)
            for kind in built_in()
            for name, found in sorted(reader.catalog.definitions(kind).items())
        },
        "intents": [f"{intent.verb} {intent.ref}" for intent in reader.catalog.intents()],
        "attempts": [_plain(uid, names) for uid in reader.catalog.attempts()],
        "sessions": sorted(
            f"{_plain(pane.uid, names)} {pane.role} {'dead' if pane.dead else 'alive'}"
            f" {_plain(' '.join(pane.mark.split(' ')[:2]), names)} {_plain(pane.session_name, names)}"
            for pane in panes
        ),
        "gateways": sorted(
            names.text(f"{root} {found.mode} {found.host}:{found.port}")
            for root, found in seen.gateways.items()
            if isinstance(found, Running)
        ),
        "processes": {mine[uid]: len(found) for uid, found in bearing.items()},
        "survivors": sorted(
            f"{mine[uid]} {process.pid}"
            for uid, found in bearing.items()
            for process in found
            if not _belongs(process, {pane.pid for pane in panes if pane.uid == uid}, found)
        ),
        "files": _files(world, names),
    }


class _Seen:
    """One look at everything."""

    def __init__(self, world: World) -> None:
        self.reader = world.look()
        listing = self.reader.tmux.listing()
        assert isinstance(listing, Listing), listing
        self.panes = listing.panes
        self.rows = self.reader.catalog.inventory()
        self.records = self.reader.registry.scan().records
        self.boot = self.reader.process.boot_id()
        self.facts = self.reader.process.facts([pane.pid for pane in self.panes])
        roots = [
            row.live["session_manifest"].rpartition("/")[0] for row in self.rows if row.live.get("session_manifest")
        ]
        self.gateways = self.reader.gateways.seen(roots)
        self.names = _names(world, self)


def difference(one: State, two: State) -> list[str]:
    """Where two ends differ, one line each."""
    found: list[str] = []
    _compare("", one, two, found)
    return found


def _compare(where: str, one: object, two: object, found: list[str]) -> None:
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted(one.keys() | two.keys(), key=str):
            _compare(f"{where}/{key}", one.get(key), two.get(key), found)
    elif isinstance(one, str) and isinstance(two, str) and one != two:
        lines = [f"{a!r} / {b!r}" for a, b in zip_longest(one.split("\n"), two.split("\n")) if a != b]
        found.append(f"{where}: {lines[0]}")
    elif one != two:
        found.append(f"{where}: {one!r:.300} / {two!r:.300}")


def _belongs(process: ProcessFacts, panes: set[int], all_of_it: tuple[ProcessFacts, ...]) -> bool:
    """A pane's own program, or something that it started."""
    known = {each.pid: each for each in all_of_it}
    at: ProcessFacts | None = process
    while at is not None:
        if at.pid in panes or at.session in panes:
            return True
        at = known.get(at.ppid)
    return False


def _live(seen: _Seen, row: InventoryRow) -> dict[str, str]:
    """The recorded handles, each as whether it is the true one; stamps of files without time and inode."""
    if row.ref.kind != "Instance":
        return {key: _UNSTAMPED.sub(" <stamp>", value) for key, value in row.live.items()}
    panes = [pane for pane in seen.panes if pane.uid == row.uid and pane.role == "agent"]
    record = next((found for found in seen.records.values() if _owner(found) == row.uid), None)
    facts = [seen.facts[pane.pid] for pane in panes]
    true = {
        "session": [pane.session_id for pane in panes],
        "session_name": [pane.session_name for pane in panes],
        "pane": [pane.pane_id for pane in panes],
        "pid": [str(pane.pid) for pane in panes],
        "ticks": [str(found.start_ticks) for found in facts if isinstance(found, ProcessFacts)],
        "mark": [pane.mark for pane in panes],
        "boot": [seen.boot],
    }
    gateway = seen.gateways.get(row.live.get("session_manifest", "").rpartition("/")[0])
    if isinstance(gateway, Running):
        true |= {"gateway_pid": [str(gateway.pid)], "gateway_ticks": [str(gateway.ticks)]}
    made: dict[str, str] = {}
    for key, value in row.live.items():
        if key == "record":
            body = getattr(record, "body", None)
            made[key] = "true" if body is not None and digest(body) == value else "false"
        elif key == "record_file":
            written = getattr(record, "digest", None)
            made[key] = "true" if written == value else "false"
        elif key in _GATEWAY:
            made[key] = "true" if true.get(key) == [value] else "false: it is not the gateway that runs"
        elif key in true and panes:
            made[key] = "true" if true[key] == [value] else f"false: {value} is not {true[key]}"
        elif key in _HANDLES:
            made[key] = "of the past"
        else:
            made[key] = value
    return made


def _owner(record: object) -> object:
    body = getattr(record, "body", None)
    owner = body.get("owner") if isinstance(body, dict) else None
    return owner.get("uid") if isinstance(owner, dict) else None


def _names(world: World, seen: _Seen) -> "_Names":
    """What stands for what in this world."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in seen.rows:
        names[row.uid] = str(row.ref)
        found[row.uid] = f"<uid of {row.ref}>"
        if row.ref.kind == "Instance":
            for text in (row.live.get("home_id", ""), row.live.get("session_manifest", "")):
                if stamped := _STAMPED.search(text):
                    found[stamped.group()] = f"<stamp of {row.ref}>"
    for pane in seen.panes:
        if pane.uid in names and pane.session_name.startswith("HOUMAO-"):
            found[pane.session_name] = f"<session of {names[pane.uid]}>"
    for intent in seen.reader.catalog.intents():
        found.setdefault(intent.uid, f"<uid of {intent.ref}>")
    overlay = seen.reader.overlay_id
    if overlay:
        found[overlay] = "<overlay>"
    found[str(world.root)] = "<root>"
    return _names_of(tuple(sorted(found.items(), key=lambda item: (-len(item[0]), item[0]))))


@lru_cache(maxsize=4)
def _names_of(found: tuple[tuple[str, str], ...]) -> "_Names":
    return _Names(found)


class _Names:
    """Volatile text and what it stands for, longest first.

    Remembers what it said: worlds that were arranged alike hold the same texts, and a suite compares thousands.
    """

    def __init__(self, found: tuple[tuple[str, str], ...]) -> None:
        self._found = found
        self._said: dict[str, str] = {}
        self._content: dict[str, str] = {}

    def text(self, text: str) -> str:
        said = self._said.get(text)
        if said is None:
            said = self._said[text] = self._told(text)
        return said

    def json(self, text: str) -> str:
        """The same of JSON, sorted; of half a file as it is."""
        said = self._content.get(text)
        if said is None:
            try:
                said = self._told(json.dumps(json.loads(text), sort_keys=True))
            except ValueError:
                said = self._told(text)
            self._content[text] = said
        return said

    def _told(self, text: str) -> str:
        for volatile, stands_for in self._found:
            text = text.replace(volatile, stands_for)
        text = text.replace('"<overlay>"', "<overlay>")  # quoted in YAML where the id looks like a number
        text = _TIMES.sub("<time>", text)
        text = _TOKENS.sub(r"\1<token>", text)
        text = _DERIVED_DIGESTS.sub(r"\1<digest>", text)
        return _ASIDE.sub(".aside-<token>", text)


def _plain(value: object, names: _Names) -> Json:
    """Tuples, mappings and refs as JSON, volatile text replaced."""
    if isinstance(value, str):
        return names.text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {names.text(str(key)): _plain(inner, names) for key, inner in sorted(value.items(), key=_first)}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict(), names)
    if isinstance(value, list | tuple):
        return [_plain(inner, names) for inner in value]
    return names.text(str(value))


def _first(item: tuple[object, object]) -> str:
    return str(item[0])


def _files(world: World, names: _Names) -> dict[str, str]:
    """Every file of overlay and registry by name, with its text; records as sorted JSON."""
    found: dict[str, str] = {}
    start = len(str(world.root)) + 1
    for top in (world.overlay, world.registry):
        for path in sorted(_below(str(top))):
            found[names.text(path[start:])] = _content(path, names)
    return found


def _below(directory: str) -> Iterator[str]:
    """Files and links; none that come and go, or belong to the program in the pane."""
    if not os.path.isdir(directory):
        return
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name in _NOT_OURS:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            elif not entry.name.startswith(_SKIPPED):
                yield entry.path


def _content(path: str, names: _Names) -> str:
    if os.path.islink(path):
        return names.text(f"-> {os.readlink(path)}")
    with open(path, "rb") as file:
        text = file.read().decode("utf-8", errors="replace")
    return names.json(text) if path.endswith(".json") else names.text(text)


__all__ = ["State", "difference", "end_state"]
