"""Headless turns: one process per prompt, its artifacts beside the session manifest, at most one at a time.

The number of a turn comes from the agent's own file of requests, so that two writers never share one; whether it is
over is told by its exit code file and its process, never by whoever started it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.app.agents import Agent, require_live
from reconciler.app.hand_over import text_fault
from reconciler.app.turnstile import turnstile
from reconciler.build import turn as build
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import Host, ModelConfig
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.files import FileMissing
from reconciler.ports.process import ProcessFacts
from reconciler.ports.provider import Provider
from reconciler.ports.requests import RequestLog, TurnRow
from reconciler.ports.turn import EventKind

POLL_S = 0.05
HELD_S = 15.0
INTERRUPT_S = 10.0
"""How long an interrupted program may take to leave."""
KEPT = frozenset(("PATH", "HOME", "LANG", "LANGUAGE", "TERM", "SHELL", "USER", "LOGNAME", "TZ"))
ACTIVE, COMPLETED, FAILED, INTERRUPTED = "active", "completed", "failed", "interrupted"
RESULTS = {COMPLETED: "success", INTERRUPTED: "interrupted", FAILED: "known_failure"}


class NoTurns(ReconcilerError):
    """The agent has a terminal of its own: it takes prompts, no turns."""

    code = "turn.not_headless"


class NoSuchTurn(ReconcilerError):
    """There is no turn of that id."""

    code = "turn.not_found"


class TurnRuns(ReconcilerError):
    """One turn at a time."""

    code = "turn.busy"


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


Heard = Callable[[JsonMap], None]


def submit(
    agent: Agent, text: str, *, model: ModelConfig | None = None, wait: bool = True, heard: Heard | None = None
) -> Turn:
    """Run one turn; with `wait` until it is over, each canonical event to `heard` as it comes.

    Raises NoTurns, TurnRuns, AgentBroken, UsageFault.
    """
    wrong = text_fault(text)
    if wrong is not None:
        raise UsageFault(f"the prompt {wrong}", hint="give it with --prompt TEXT, or on standard input")
    _must_be_headless(agent)
    require_live(agent, "submit a turn to")
    ports = agent.ports()
    try:
        with turnstile(ports.files, ports.clock, agent.session_root, HELD_S), _opened(agent, ports) as log:
            row = _begun(agent, ports, log, text, model)
        return _followed(agent, ports, row, heard) if wait else _seen(agent, ports.reader(), row)
    finally:
        ports.catalog.close()


def interrupt(agent: Agent) -> Turn | None:
    """End the running turn by SIGTERM; None where none runs."""
    _must_be_headless(agent)
    ports = agent.ports()
    try:
        with _opened(agent, ports) as log:
            active = _running(agent, ports.reader(), log)
            if active is None:
                return None
            log.note_turn(active.row._replace(interrupted=True))
            ports.process.terminate(active.row.pid, active.row.ticks)
            deadline = ports.clock.monotonic() + INTERRUPT_S
            while ports.clock.monotonic() < deadline:
                ports.process.wait_gone(active.row.pid, active.row.ticks, POLL_S)
                now = _seen(agent, ports.reader(), active.row._replace(interrupted=True))
                if now.status != ACTIVE:
                    return now
            return now
    finally:
        ports.catalog.close()


def status(agent: Agent, turn_id: str) -> Turn:
    """How one turn stands; raises NoTurns, NoSuchTurn."""
    _must_be_headless(agent)
    return _named(agent, turn_id)


def events(agent: Agent, turn_id: str) -> list[JsonMap]:
    """The canonical events of a turn so far."""
    found = status(agent, turn_id)
    reader = agent.session.reader
    return build.canonical(
        reader.providers[agent.tool],
        _bytes(reader, f"{found.directory}/{build.STDOUT}"),
        number=found.row.number,
        at_utc=found.ended_at or found.row.started_at,
    )


def output(agent: Agent, turn_id: str, name: str) -> bytes:
    """What the program wrote: `stdout.jsonl` or `stderr.log`."""
    return _bytes(agent.session.reader, f"{status(agent, turn_id).directory}/{name}")


def running(agent: Agent) -> Turn | None:
    """The turn that runs, if one does."""
    log = agent.session.reader.requests.log(agent.session_root, create=False)
    return _running(agent, agent.session.reader, log) if log is not None else None


def managed_turn(agent: Agent) -> tuple[JsonMap, JsonMap]:
    """`turn` and `last_turn` of the managed state."""
    log = agent.session.reader.requests.log(agent.session_root, create=False)
    rows = _rows(log)
    last: JsonMap = {"result": "none", "turn_id": None, "turn_index": None, "updated_at_utc": None}
    turn: JsonMap = {"phase": "ready"}
    for row in reversed(rows):
        found = _seen(agent, agent.session.reader, row)
        if found.status == ACTIVE:
            turn = {"phase": "active", "active_turn_id": row.id}
            continue
        last = {
            "result": RESULTS[found.status],
            "turn_id": row.id,
            "turn_index": row.number,
            "updated_at_utc": found.ended_at or row.started_at,
        }
        break
    return turn, last


def _must_be_headless(agent: Agent) -> None:
    if not agent.headless:
        raise NoTurns(
            f"agent {agent.agent_name!r} has a terminal and takes no turns; nothing was sent",
            hint=f"`{agent.command('prompt --prompt TEXT')}` types at it",
            ref=str(agent.ref),
        )


def _begun(agent: Agent, ports: Ports, log: RequestLog, text: str, model: ModelConfig | None) -> TurnRow:
    """Take a number, lay the turn out and start it."""
    active = _running(agent, ports.reader(), log)
    if active is not None:
        raise TurnRuns(
            f"agent {agent.agent_name!r} is at turn {active.row.id}, which is not over",
            hint=f"`{agent.command('interrupt')}` ends it; `… turn status {active.row.id}` looks at it",
            ref=str(agent.ref),
        )
    conversation = _conversation(agent, ports, log)
    at_utc = ports.clock.now_utc().isoformat(timespec="seconds")
    row = log.begin_turn("", at_utc)
    directory = _directory(agent, row)
    program = f"{agent.live['home']}/launch.sh"
    if conversation or model is not None:
        program = f"{directory}/{build.SCRIPT}"
        text_of_script = _script(agent, ports, conversation, model)
        ports.files.write(program, text_of_script.encode(), mode=0o700)
    ports.files.write(f"{directory}/{build.PROMPT}", text.encode())
    started = ports.process.start(
        build.runner(directory, at_utc, program), cwd=agent.live.get("workdir") or "/", env=_environment(agent, ports)
    )
    row = row._replace(pid=started.pid, ticks=started.start_ticks)
    log.note_turn(row)
    return row


def _environment(agent: Agent, ports: Ports) -> dict[str, str]:
    """From nothing: the script sets the agent's own. The uid is there from the start, so that `stop` finds the turn."""
    env = {name: value for name in sorted(KEPT) if (value := ports.environ.get(name)) is not None}
    return {**env, "HOUMAO_UID": agent.row.uid, "HOUMAO_AGENT_ID": agent.agent_id}


def _script(agent: Agent, ports: Ports, conversation: str, model: ModelConfig | None) -> str:
    from reconciler.build.assemble import Site
    from reconciler.declare.reader import read

    path = agent.live["manifest"]
    documents, problems = read(ports.files.read(path), path)
    if problems or not documents or not isinstance(manifest := documents[0].value, dict):
        raise ReconcilerError(
            f"{path} cannot be read", hint=f"`{agent.command('relaunch')}` writes it again", code="turn.manifest"
        )
    provider: Provider = ports.providers[agent.tool]
    found = ports.process.which(provider.lookup) if provider.lookup else ""
    if found is None:
        raise ReconcilerError(f"{provider.lookup!r} is not on PATH", hint="install it", code="build.binary_missing")
    site = Site(
        uid=agent.row.uid,
        agent_id=agent.agent_id,
        home_id=agent.live.get("home_id", ""),
        home_path=agent.live["home"],
        manifest_path=path,
        runtime_root=ports.places.runtime,
        memory_path=agent.memory_root,
    )
    host = Host(
        executable=provider.executable(found),
        workdir=agent.live.get("workdir") or "/",
        search_path=ports.environ.get("PATH") or "",
        root=ports.environ.root,
        strategy=ports.environ.get("HOUMAO_LAUNCH_POLICY_OVERRIDE_STRATEGY"),
    )
    return build.script(
        manifest, provider, site, host, agent_def_dir=ports.places.agents, conversation=conversation, model=model
    )


def _conversation(agent: Agent, ports: Ports, log: RequestLog) -> str:
    """The provider's session id of the newest turn that named one; kept with its turn when first found."""
    provider = ports.providers[agent.tool]
    for row in reversed(_rows(log)):
        found = row.conversation
        if not found:
            stdout = _bytes(ports.reader(), f"{_directory(agent, row)}/{build.STDOUT}")
            found = build.conversation(build.heard(provider, stdout))
            if found:
                log.note_turn(row._replace(conversation=found))
        if found:
            return found
    return ""


def _followed(agent: Agent, ports: Ports, row: TurnRow, heard: Heard | None) -> Turn:
    """Until the turn is over; its canonical events are written when it is."""
    provider, told = ports.providers[agent.tool], 0
    path = f"{_directory(agent, row)}/{build.STDOUT}"
    while True:
        gone = ports.process.wait_gone(row.pid, row.ticks, POLL_S)
        turn = _seen(agent, ports.reader(), row)
        stdout = _bytes(ports.reader(), path)
        if heard is not None:
            at_utc = ports.clock.now_utc().isoformat(timespec="seconds")
            found = build.canonical(provider, stdout, number=row.number, at_utc=at_utc)
            for event in found[told:]:
                heard(event)
            told = len(found)
        if turn.status != ACTIVE or gone:
            break
    turn = _seen(agent, ports.reader(), row)
    _keep_events(agent, ports, turn)
    return turn


def _keep_events(agent: Agent, ports: Ports, turn: Turn) -> None:
    from reconciler.model.json import canonical

    found = build.canonical(
        ports.providers[agent.tool],
        _bytes(ports.reader(), f"{turn.directory}/{build.STDOUT}"),
        number=turn.row.number,
        at_utc=turn.ended_at or turn.row.started_at,
    )
    lines = "".join(f"{canonical(event)}\n" for event in found)
    ports.files.write(f"{turn.directory}/{build.EVENTS}", lines.encode())


def _running(agent: Agent, reader: Reader, log: RequestLog) -> Turn | None:
    for row in reversed(_rows(log)):
        found = _seen(agent, reader, row)
        if found.status == ACTIVE:
            return found
        break
    return None


def _seen(agent: Agent, reader: Reader, row: TurnRow) -> Turn:
    """The exit code file decides; without one, the process; and once that is gone, the file once more, for it may have
    been written between the two looks."""
    directory = _directory(agent, row)
    ended = _exit_code(reader, directory)
    if ended is None:
        facts = reader.process.facts([row.pid]).get(row.pid) if row.pid else None
        if isinstance(facts, ProcessFacts) and not facts.exited and facts.start_ticks == row.ticks:
            return Turn(agent.agent_id, row, ACTIVE, directory)
        ended = _exit_code(reader, directory)
    if ended is None:
        why = "its process is gone and left no exit code" if row.pid else "it was never started"
        return Turn(agent.agent_id, row, INTERRUPTED if row.interrupted else FAILED, directory, error=why)
    code, at_utc = ended
    if code == 0 and not (row.interrupted and not _said_to_be_over(agent, reader, directory)):
        return Turn(agent.agent_id, row, COMPLETED, directory, code, at_utc)
    word = INTERRUPTED if row.interrupted else FAILED
    return Turn(agent.agent_id, row, word, directory, code, at_utc, f"the program ended with status {code}")


def _said_to_be_over(agent: Agent, reader: Reader, directory: str) -> bool:
    """Whether the program itself said that the turn is done: one that was interrupted may all the same end with 0."""
    found = build.heard(reader.providers[agent.tool], _bytes(reader, f"{directory}/{build.STDOUT}"))
    return any(event.kind is EventKind.COMPLETION for event, _ in found)


def _exit_code(reader: Reader, directory: str) -> tuple[int, str] | None:
    path = f"{directory}/{build.EXITCODE}"
    try:
        text = reader.files.read(path).decode(errors="replace").strip()
    except FileMissing:
        return None
    stamp = reader.files.stamp(path)
    from datetime import UTC, datetime

    at_utc = datetime.fromtimestamp(stamp.mtime_ns / 1e9, UTC).isoformat(timespec="seconds") if stamp else ""
    return (int(text), at_utc) if text.isdecimal() else (-1, at_utc)


def _named(agent: Agent, turn_id: str) -> Turn:
    rows = _rows(agent.session.reader.requests.log(agent.session_root, create=False))
    for row in rows:
        if turn_id == row.id:
            return _seen(agent, agent.session.reader, row)
    raise NoSuchTurn(
        f"agent {agent.agent_name!r} has no turn {turn_id!r}",
        hint=f"its newest is {rows[-1].id}" if rows else "it has had none",
        ref=str(agent.ref),
    )


def _rows(log: RequestLog | None) -> list[TurnRow]:
    return list(log.turns()) if log is not None else []


@contextmanager
def _opened(agent: Agent, ports: Ports) -> Iterator[RequestLog]:
    log = ports.requests.log(agent.session_root)
    assert log is not None
    try:
        yield log
    finally:
        log.close()


def _directory(agent: Agent, row: TurnRow) -> str:
    return f"{agent.session_root}/{build.ARTIFACTS}/{row.id}"


def _bytes(reader: Reader, path: str) -> bytes:
    try:
        return reader.files.read(path)
    except FileMissing:
        return b""
