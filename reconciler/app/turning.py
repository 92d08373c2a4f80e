"""Running one headless turn, for a command or for the agent's gateway: both come here, so a turn has one meaning.

number ── directory, script, prompt ── start ── pid noted          a turn has begun once its program runs
   └ from the agent's own file of requests, so that two writers never share one
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from reconciler.app.turn_seen import ACTIVE, Seat, Turn, bytes_of, events, running, seen
from reconciler.build import turn as build
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import Host, ModelConfig
from reconciler.ports.bundle import Environment
from reconciler.ports.clock import Clock
from reconciler.ports.files import Files, FilesReader
from reconciler.ports.process import Process
from reconciler.ports.provider import Provider, Resume, ResumeMode
from reconciler.ports.requests import RequestLog, Requests, TurnRow
from reconciler.ports.turn import AUTO, Chat

POLL_S = 0.05
INTERRUPT_S = 10.0
"""How long an interrupted program may take to leave."""
KEPT = frozenset(("PATH", "HOME", "LANG", "LANGUAGE", "TERM", "SHELL", "USER", "LOGNAME", "TZ"))


class TurnRuns(ReconcilerError):
    """One turn at a time."""

    code = "turn.busy"


class NoConversation(ReconcilerError):
    """The current conversation was asked for, and there is none yet."""

    code = "turn.no_conversation"


class Hands(Protocol):
    """What it takes to run one; `Ports` has it."""

    @property
    def files(self) -> Files: ...
    @property
    def process(self) -> Process: ...
    @property
    def providers(self) -> Mapping[str, Provider]: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def environ(self) -> Environment: ...


class House(NamedTuple):
    """What its programs run in, as the newest start of the agent left it."""

    home: str
    home_id: str
    manifest: str
    """The brain manifest."""
    workdir: str
    runtime: str
    memory: str
    agents: str
    """The agent definition directory."""


FRESH = Resume(ResumeMode.NEW)


@contextmanager
def opened(seat: Seat, hands: Hands) -> Iterator[RequestLog]:
    """The agent's file of requests, made where it is missing."""
    log = hands.requests.log(seat.root)
    assert log is not None
    try:
        yield log
    finally:
        log.close()


def begin(
    seat: Seat,
    house: House,
    hands: Hands,
    log: RequestLog,
    text: str,
    *,
    chat: Chat = AUTO,
    model: ModelConfig | None = None,
    turn_id: str = "",
) -> TurnRow:
    """Take a number, lay the turn out and start its program; the turnstile must be held.

    Raises TurnRuns, NoConversation, GuardRefused (`turn.taken`), ActionFailed (`build.*`), Unreachable; nothing runs
    then.
    """
    active = running(seat, hands, log)
    if active is not None:
        raise TurnRuns(
            f"agent {seat.agent_name!r} is at turn {active.row.id}, which is not over",
            hint=f"`{seat.command('interrupt')}` ends it; `… turn status {active.row.id}` looks at it",
            ref=seat.ref,
        )
    resume = _resume(seat, hands, log, chat)
    # Before there is a number: what cannot be written as a script is no turn.
    script = None if resume is None and model is None else _script(seat, house, hands, resume or FRESH, model)
    at_utc = hands.clock.now_utc().isoformat(timespec="seconds")
    row = log.begin_turn(turn_id, at_utc)
    directory = seat.directory(row)
    program = f"{house.home}/launch.sh"
    if script is not None:
        program = f"{directory}/{build.SCRIPT}"
        hands.files.write(program, script.encode(), mode=0o700)
    hands.files.write(f"{directory}/{build.PROMPT}", text.encode())
    started = hands.process.start(
        build.runner(directory, at_utc, program), cwd=house.workdir, env=_environment(seat, hands)
    )
    row = row._replace(pid=started.pid, ticks=started.start_ticks)
    log.note_turn(row)
    return row


def _resume(seat: Seat, hands: Hands, log: RequestLog, chat: Chat) -> Resume | None:
    """How its program is told; None where the home's own launch script says it."""
    match chat.mode:
        case "new":
            return FRESH
        case "exact":
            return Resume(ResumeMode.EXACT, chat.id)
        case "tool_last_or_new":
            return Resume(ResumeMode.LAST_OR_NEW)
    current = conversation(seat, hands, log)
    if current:
        return Resume(ResumeMode.EXACT, current)
    if chat.mode == "current":
        raise NoConversation(
            f"agent {seat.agent_name!r} has no conversation yet",
            hint="its first turn begins one; leave the choice out, or choose new",
            ref=seat.ref,
        )
    return None


def _environment(seat: Seat, hands: Hands) -> dict[str, str]:
    """From nothing: the script sets the agent's own. The uid is there from the start, so that `stop` finds the turn."""
    env = {name: value for name in sorted(KEPT) if (value := hands.environ.get(name)) is not None}
    return {**env, "HOUMAO_UID": seat.uid, "HOUMAO_AGENT_ID": seat.agent_id}


def manifest_of(files: FilesReader, path: str, seat: Seat) -> JsonMap:
    """A brain manifest; raises ReconcilerError (`turn.manifest`) for one that cannot be read."""
    from reconciler.declare.reader import read

    documents, problems = read(files.read(path), path)
    if problems or not documents or not isinstance(manifest := documents[0].value, dict):
        raise ReconcilerError(
            f"{path} cannot be read", hint=f"`{seat.command('relaunch')}` writes it again", code="turn.manifest"
        )
    return manifest


def house_of(files: FilesReader, session_manifest: JsonMap, seat: Seat, memory: str, agents: str) -> House:
    """From what the newest start of the agent wrote down; raises as `manifest_of` does."""

    def text(of: JsonMap, path: str) -> str:
        found: Json = at_path(of, path)
        if not isinstance(found, str) or not found:
            raise ReconcilerError(
                f"the manifest of {seat.agent_name!r} lacks {path}",
                hint=f"`{seat.command('relaunch')}` writes it again",
                code="turn.manifest",
            )
        return found

    path = text(session_manifest, "brain_manifest_path")
    brain = manifest_of(files, path, seat)
    return House(
        home=text(brain, "runtime.home_path"),
        home_id=text(brain, "runtime.home_id"),
        manifest=path,
        workdir=text(session_manifest, "working_directory"),
        runtime=text(brain, "runtime.runtime_root"),
        memory=memory,
        agents=agents,
    )


def _script(seat: Seat, house: House, hands: Hands, resume: Resume, model: ModelConfig | None) -> str:
    from reconciler.build.assemble import Site

    manifest = manifest_of(hands.files, house.manifest, seat)
    provider: Provider = hands.providers[seat.tool]
    found = hands.process.which(provider.lookup) if provider.lookup else ""
    if found is None:
        raise ReconcilerError(f"{provider.lookup!r} is not on PATH", hint="install it", code="build.binary_missing")
    site = Site(
        uid=seat.uid,
        agent_id=seat.agent_id,
        home_id=house.home_id,
        home_path=house.home,
        manifest_path=house.manifest,
        runtime_root=house.runtime,
        memory_path=house.memory,
    )
    host = Host(
        executable=provider.executable(found),
        workdir=house.workdir,
        search_path=hands.environ.get("PATH") or "",
        root=hands.environ.root,
        strategy=hands.environ.get("HOUMAO_LAUNCH_POLICY_OVERRIDE_STRATEGY"),
    )
    return build.script(manifest, provider, site, host, agent_def_dir=house.agents, resume=resume, model=model)


def conversation(seat: Seat, hands: Hands, log: RequestLog) -> str:
    """The provider's session id of the newest turn that named one; kept with its turn when first found."""
    provider = hands.providers[seat.tool]
    for row in reversed(log.turns()):
        found = row.conversation
        if not found:
            stdout = bytes_of(hands, f"{seat.directory(row)}/{build.STDOUT}")
            found = build.conversation(build.heard(provider, stdout))
            if found:
                log.note_turn(row._replace(conversation=found))
        if found:
            return found
    return ""


def end(seat: Seat, hands: Hands, log: RequestLog) -> Turn | None:
    """End the running turn by SIGTERM, and wait for that; None where none runs."""
    active = running(seat, hands, log)
    if active is None:
        return None
    row = active.row._replace(interrupted=True)
    log.note_turn(row)
    hands.process.terminate(row.pid, row.ticks)
    deadline = hands.clock.monotonic() + INTERRUPT_S
    while hands.clock.monotonic() < deadline:
        hands.process.wait_gone(row.pid, row.ticks, POLL_S)
        if seen(seat, hands, row).status != ACTIVE:
            break
    return seen(seat, hands, row)


def keep_events(seat: Seat, hands: Hands, turn: Turn) -> None:
    """Write down the canonical events of a turn that is over."""
    found = events(seat, hands, turn)
    lines = "".join(f"{canonical(event)}\n" for event in found)
    hands.files.write(f"{turn.directory}/{build.EVENTS}", lines.encode())
