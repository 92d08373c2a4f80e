"""Headless turns as they are: whose they are, how one stands, what it said. Looks only.

Whether a turn is over is told by its exit code file and its process, never by whoever started it.
"""

from collections.abc import Mapping
from typing import Protocol

from reconciler.build import turn as build
from reconciler.model.json import JsonMap
from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import FileMissing, FilesReader
from reconciler.ports.process import ProcessFacts, ProcessReader
from reconciler.ports.provider import Provider
from reconciler.ports.requests import RequestLog, Requests, TurnRow
from reconciler.ports.turn import EventKind

ACTIVE, COMPLETED, FAILED, INTERRUPTED = "active", "completed", "failed", "interrupted"


class Eyes(Protocol):
    """What it takes to look at turns; `Reader` has it."""

    @property
    def files(self) -> FilesReader: ...
    @property
    def process(self) -> ProcessReader: ...
    @property
    def providers(self) -> Mapping[str, Provider]: ...
    @property
    def requests(self) -> Requests: ...


class Seat(NamedTuple):
    """Whose turns they are."""

    uid: Uid
    agent_id: str
    agent_name: str
    ref: str
    """What errors name."""
    tool: str
    root: str
    """The session root."""

    def command(self, verb: str) -> str:
        """The command line that does something to this agent."""
        return f"houmao agents single --agent-id {self.agent_id} {verb}"

    def directory(self, row: TurnRow) -> str:
        """Where a turn's artifacts are."""
        return f"{self.root}/{build.ARTIFACTS}/{row.id}"


class Turn(NamedTuple):
    """One turn as it is now."""

    agent_id: str
    row: TurnRow
    status: str
    directory: str
    code: int | None = None
    ended_at: str = ""
    error: str = ""

    def to_json(self) -> JsonMap:
        """The keys of runtime-and-fleet-api §8.8."""
        return {
            "tracked_agent_id": self.agent_id,
            "turn_id": self.row.id,
            "turn_index": self.row.number,
            "status": self.status,
            "started_at_utc": self.row.started_at,
            "completed_at_utc": self.ended_at or None,
            "returncode": self.code,
            "completion_source": "exitcode_file" if self.code is not None else None,
            "stdout_path": f"{self.directory}/{build.STDOUT}",
            "stderr_path": f"{self.directory}/{build.STDERR}",
            "error": self.error or None,
        }

    def submitted_json(self) -> JsonMap:
        """The answer of `turn submit`."""
        return {
            "success": self.status in (COMPLETED, ACTIVE),
            "tracked_agent_id": self.agent_id,
            "turn_id": self.row.id,
            "turn_index": self.row.number,
            "status": self.status,
            "detail": self.error or f"the turn is {self.status}",
        }


def events(seat: Seat, eyes: Eyes, turn: Turn) -> list[JsonMap]:
    """The canonical events of a turn so far."""
    return build.canonical(
        eyes.providers[seat.tool],
        bytes_of(eyes, f"{turn.directory}/{build.STDOUT}"),
        number=turn.row.number,
        at_utc=turn.ended_at or turn.row.started_at,
    )


def running(seat: Seat, eyes: Eyes, log: RequestLog) -> Turn | None:
    """The turn that runs, if one does: only the newest can."""
    rows = log.turns()
    found = seen(seat, eyes, rows[-1]) if rows else None
    return found if found is not None and found.status == ACTIVE else None


def seen(seat: Seat, eyes: Eyes, row: TurnRow) -> Turn:
    """The exit code file decides; without one, the process; and once that is gone, the file once more, for it may have
    been written between the two looks."""
    directory = seat.directory(row)
    ended = _exit_code(eyes, directory)
    if ended is None:
        facts = eyes.process.facts([row.pid]).get(row.pid) if row.pid else None
        if isinstance(facts, ProcessFacts) and not facts.exited and facts.start_ticks == row.ticks:
            return Turn(seat.agent_id, row, ACTIVE, directory)
        ended = _exit_code(eyes, directory)
    if ended is None:
        why = "its process is gone and left no exit code" if row.pid else "it was never started"
        return Turn(seat.agent_id, row, INTERRUPTED if row.interrupted else FAILED, directory, error=why)
    code, at_utc = ended
    if code == 0 and not (row.interrupted and not _said_to_be_over(seat, eyes, directory)):
        return Turn(seat.agent_id, row, COMPLETED, directory, code, at_utc)
    word = INTERRUPTED if row.interrupted else FAILED
    return Turn(seat.agent_id, row, word, directory, code, at_utc, f"the program ended with status {code}")


def _said_to_be_over(seat: Seat, eyes: Eyes, directory: str) -> bool:
    """Whether the program itself said that the turn is done: one that was interrupted may all the same end with 0."""
    found = build.heard(eyes.providers[seat.tool], bytes_of(eyes, f"{directory}/{build.STDOUT}"))
    return any(event.kind is EventKind.COMPLETION for event, _ in found)


def _exit_code(eyes: Eyes, directory: str) -> tuple[int, str] | None:
    path = f"{directory}/{build.EXITCODE}"
    try:
        text = eyes.files.read(path).decode(errors="replace").strip()
    except FileMissing:
        return None
    stamp = eyes.files.stamp(path)
    from datetime import UTC, datetime

    at_utc = datetime.fromtimestamp(stamp.mtime_ns / 1e9, UTC).isoformat(timespec="seconds") if stamp else ""
    return (int(text), at_utc) if text.isdecimal() else (-1, at_utc)


def bytes_of(eyes: Eyes, path: str) -> bytes:
    """What a file holds; nothing where it is not there yet."""
    try:
        return eyes.files.read(path)
    except FileMissing:
        return b""
