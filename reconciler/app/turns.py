"""Headless turns of an agent as its commands have them: submitted, followed, interrupted, looked at."""

from collections.abc import Callable

from reconciler.app import turn_seen, turning
from reconciler.app.agents import Agent, require_live
from reconciler.app.hand_over import text_fault
from reconciler.app.turn_seen import ACTIVE as ACTIVE
from reconciler.app.turn_seen import COMPLETED as COMPLETED
from reconciler.app.turn_seen import FAILED, INTERRUPTED, Seat, Turn, bytes_of, seen
from reconciler.app.turning import POLL_S, House
from reconciler.app.turning import TurnRuns as TurnRuns
from reconciler.app.turnstile import turnstile
from reconciler.build import turn as build
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.json import JsonMap
from reconciler.ports.build import ModelConfig
from reconciler.ports.bundle import Ports
from reconciler.ports.requests import TurnRow

HELD_S = 15.0
RESULTS = {COMPLETED: "success", INTERRUPTED: "interrupted", FAILED: "known_failure"}


class NoTurns(ReconcilerError):
    """The agent has a terminal of its own: it takes prompts, no turns."""

    code = "turn.not_headless"


class NoSuchTurn(ReconcilerError):
    """There is no turn of that id."""

    code = "turn.not_found"


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
    ports, seat = agent.ports(), seat_of(agent)
    try:
        with (
            turnstile(ports.files, ports.clock, agent.session_root, HELD_S),
            turning.opened(seat, ports) as log,
        ):
            row = turning.begin(seat, _house(agent, ports), ports, log, text, model=model)
        return _followed(seat, ports, row, heard) if wait else seen(seat, ports.reader(), row)
    finally:
        ports.catalog.close()


def interrupt(agent: Agent) -> Turn | None:
    """End the running turn by SIGTERM; None where none runs."""
    _must_be_headless(agent)
    ports, seat = agent.ports(), seat_of(agent)
    try:
        with turning.opened(seat, ports) as log:
            return turning.end(seat, ports, log)
    finally:
        ports.catalog.close()


def status(agent: Agent, turn_id: str) -> Turn:
    """How one turn stands; raises NoTurns, NoSuchTurn."""
    _must_be_headless(agent)
    return _named(agent, turn_id)


def events(agent: Agent, turn_id: str) -> list[JsonMap]:
    """The canonical events of a turn so far."""
    return turn_seen.events(seat_of(agent), agent.session.reader, status(agent, turn_id))


def output(agent: Agent, turn_id: str, name: str) -> bytes:
    """What the program wrote: `stdout.jsonl` or `stderr.log`."""
    return bytes_of(agent.session.reader, f"{status(agent, turn_id).directory}/{name}")


def running(agent: Agent) -> Turn | None:
    """The turn that runs, if one does."""
    log = agent.session.reader.requests.log(agent.session_root, create=False)
    return turn_seen.running(seat_of(agent), agent.session.reader, log) if log is not None else None


def managed_turn(agent: Agent) -> tuple[JsonMap, JsonMap]:
    """`turn` and `last_turn` of the managed state."""
    last: JsonMap = {"result": "none", "turn_id": None, "turn_index": None, "updated_at_utc": None}
    turn: JsonMap = {"phase": "ready"}
    for row in reversed(_rows(agent)):
        found = seen(seat_of(agent), agent.session.reader, row)
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


def seat_of(agent: Agent) -> Seat:
    """Whose turns they are, of an agent that was resolved."""
    return Seat(agent.row.uid, agent.agent_id, agent.agent_name, str(agent.ref), agent.tool, agent.session_root)


def _house(agent: Agent, ports: Ports) -> House:
    live = agent.live
    return House(
        home=live["home"],
        home_id=live.get("home_id", ""),
        manifest=live["manifest"],
        workdir=live.get("workdir") or "/",
        runtime=ports.places.runtime,
        memory=agent.memory_root,
        agents=ports.places.agents,
    )


def _must_be_headless(agent: Agent) -> None:
    if not agent.headless:
        raise NoTurns(
            f"agent {agent.agent_name!r} has a terminal and takes no turns; nothing was sent",
            hint=f"`{agent.command('prompt --prompt TEXT')}` types at it",
            ref=str(agent.ref),
        )


def _followed(seat: Seat, ports: Ports, row: TurnRow, heard: Heard | None) -> Turn:
    """Until the turn is over; its canonical events are written when it is."""
    provider, told = ports.providers[seat.tool], 0
    path = f"{seat.directory(row)}/{build.STDOUT}"
    while True:
        gone = ports.process.wait_gone(row.pid, row.ticks, POLL_S)
        turn = seen(seat, ports.reader(), row)
        stdout = bytes_of(ports.reader(), path)
        if heard is not None:
            at_utc = ports.clock.now_utc().isoformat(timespec="seconds")
            found = build.canonical(provider, stdout, number=row.number, at_utc=at_utc)
            for event in found[told:]:
                heard(event)
            told = len(found)
        if turn.status != ACTIVE or gone:
            break
    turn = seen(seat, ports.reader(), row)
    turning.keep_events(seat, ports, turn)
    return turn


def _named(agent: Agent, turn_id: str) -> Turn:
    rows = _rows(agent)
    for row in rows:
        if turn_id == row.id:
            return seen(seat_of(agent), agent.session.reader, row)
    raise NoSuchTurn(
        f"agent {agent.agent_name!r} has no turn {turn_id!r}",
        hint=f"its newest is {rows[-1].id}" if rows else "it has had none",
        ref=str(agent.ref),
    )


def _rows(agent: Agent) -> list[TurnRow]:
    log = agent.session.reader.requests.log(agent.session_root, create=False)
    return list(log.turns()) if log is not None else []
