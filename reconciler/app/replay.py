"""What a recorded event stream says in the end: the same status of each resource that the run told (R-EVT-4).

A last line that was cut off by a crash is left out; any other damage is an error: what follows could not be trusted.
Fields and types that are not known are passed over.
"""

import json
from collections.abc import Iterator

from reconciler.app import wiring
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple

VERSION = 1
FIELDS = ("verb", "uid", "outcome", "attempt", "duration_ms", "reason", "error", "note")
WORDS = {"wait": "waiting", "drift": "drifted", "prune_candidate": "orphaned"}


class StreamDamaged(ReconcilerError):
    """A recorded stream of which a line cannot be read, or is missing."""

    code = "events.damaged"


class Replayed(NamedTuple):
    """The end of a stream."""

    items: tuple[JsonMap, ...]
    """By resource, in the order in which they were first told of: the run, and what an outcome has in a report."""
    runs: tuple[str, ...]
    events: int
    exit_code: int | None
    """None where the stream has no summary: the program was killed, or still runs."""
    interrupted: bool
    """Whether the last line is cut off."""

    def to_json(self) -> JsonMap:
        """`{events, runs, complete, exitCode, items}`."""
        runs: list[Json] = list(self.runs)
        items: list[Json] = list(self.items)
        return {
            "events": self.events,
            "runs": runs,
            "complete": self.exit_code is not None,
            "exitCode": self.exit_code,
            "items": items,
        }


def replay(path: str) -> Replayed:
    """Read a file that `--events` wrote. Raises FileMissing, StreamDamaged."""
    data = wiring.local_files().read(path)
    whole, _, rest = data.rpartition(b"\n")
    status: dict[str, JsonMap] = {}
    runs: list[str] = []
    exit_code: int | None = None
    count = 0
    for event in _events(path, whole):
        count += 1
        kind, ref, run = event.get("type"), event.get("ref"), event.get("run")
        if kind == "run_start" and isinstance(run, str):
            runs.append(run)
        if kind == "summary":
            found = event.get("exit_code")
            exit_code = found if isinstance(found, int) else None
        elif isinstance(ref, str):
            _told(status, str(kind), ref, event)
    return Replayed(tuple(status.values()), tuple(runs), count, exit_code, bool(rest))


def _told(status: dict[str, JsonMap], kind: str, ref: str, event: JsonMap) -> None:
    about: JsonMap = {"ref": ref, "run": event.get("run")}
    if kind == "action_start":
        status[ref] = {**about, "verb": event.get("verb"), "outcome": "started"}
    elif kind == "action_end":
        status[ref] = {**about, **{key: event.get(key) for key in FIELDS}}
    elif kind in WORDS:
        status[ref] = {**about, "verb": event.get("verb"), "outcome": WORDS[kind], "reason": event.get("code")}


def _events(path: str, data: bytes) -> Iterator[JsonMap]:
    for number, line in enumerate(data.split(b"\n") if data else (), 1):
        try:
            event = json.loads(line)
        except ValueError as error:
            raise _damaged(path, number, "is no JSON") from error
        if not isinstance(event, dict):
            raise _damaged(path, number, "is no event")
        if event.get("v") != VERSION:
            raise _damaged(path, number, f"is of version {event.get('v')!r}, and {VERSION} is known")
        if event.get("seq") != number:
            raise _damaged(
                path, number, f"has number {event.get('seq')!r}: some are missing, or two streams are in one"
            )
        yield event


def _damaged(path: str, number: int, what: str) -> StreamDamaged:
    return StreamDamaged(
        f"{path}:{number} {what}", hint="`houmao history` has what each run did, also where its stream is lost"
    )
