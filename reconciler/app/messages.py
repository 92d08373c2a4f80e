"""Requests to a live agent: prompt, interrupt, keys. They are no state and have no plan: one journalled step each.

    turnstile ─ look ─ admitted? ─ intent row ─ hand over ─ commit row ─ until the screen moved on
                          │             │
                     refused, and     killed here: `unknown` at the next request, never sent again
                     nothing is sent

What is admitted is admitted in the instant it is sent: tmux compares the pane with what was judged in the step that
pastes. `--force` types whatever the screen shows, and the answer says what it overrode; a dead pane, another program in
it, or an agent that is not there are never overridden.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.app import hand_over
from reconciler.app.agents import Agent, require_live
from reconciler.app.hand_over import Handed, Terminal, text_fault
from reconciler.app.sight import Stillness, read, sight
from reconciler.app.turnstile import turnstile
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.json import JsonMap, digest_bytes
from reconciler.model.keys import sequence
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.reading import Reading, ScreenState, Tri, TurnResult
from reconciler.ports.requests import Entry, Outcome, RequestLog
from reconciler.ports.tmux import Screen, Stroke, Unanswered

POLL_S = 0.05
TRIES = 20
"""How often a screen that moved between the look and the hand-over is judged again."""
TAKEN_S = 2.0
"""How long a screen may look untouched after something was handed over before it is believed."""
HELD_S = 15.0
"""How long to wait for another sender to the same agent."""
ESCAPE = (Stroke("Escape"),)
CLEARED_S = 5.0
"""How long an interrupted program may take to show its prompt again."""
PAUSE_S = 0.3
"""Between an interrupt's prompt and the key that empties it."""


class NotAdmitted(ReconcilerError):
    """The agent cannot be given that now; nothing was sent."""

    code = "prompt.not_ready"


class Sent(NamedTuple):
    """What became of one request."""

    agent: Agent
    request_id: str
    kind: str
    outcome: Outcome
    detail: str
    turn_id: str | None = None
    turn_index: int | None = None

    @property
    def success(self) -> bool:
        """It arrived, or there was nothing to do."""
        return self.outcome is Outcome.DELIVERED

    def to_json(self) -> JsonMap:
        """The keys of runtime-and-fleet-api §9.3, and `delivery`: delivered, undelivered or unknown."""
        return {
            "success": self.success,
            "tracked_agent_id": self.agent.agent_id,
            "request_id": self.request_id or None,
            "request_kind": self.kind,
            "disposition": "accepted" if self.request_id else "no_op",
            "delivery": self.outcome.value,
            "detail": self.detail,
            "headless_turn_id": self.turn_id,
            "headless_turn_index": self.turn_index,
        }


class Verdict(NamedTuple):
    """Whether something may be typed now: `why` is empty where it may."""

    code: str = ""
    why: str = ""


Judge = Callable[[Reading], Verdict]


def prompt(
    agent: Agent,
    text: str,
    *,
    force: bool = False,
    within_s: float = 0.0,
    model: str | None = None,
    level: int | None = None,
) -> Sent:
    """Hand a prompt over once; waits `within_s` for the agent to be ready. Raises NotAdmitted, AgentBroken, UsageFault.

    `model` and `level` are for one headless turn.
    """
    wrong = text_fault(text.replace("\r\n", "\n"))
    if wrong is not None:
        raise UsageFault(f"the prompt {wrong}", hint="give it with --prompt TEXT, or on standard input")
    require_live(agent, "prompt")
    if agent.headless:
        return _turn(agent, text, model, level)
    if model is not None or level is not None:
        raise UsageFault(
            "a model for one prompt is for headless agents; this one has a terminal",
            hint=f"declare another model for {agent.ref}, or choose it in the program itself",
            code="usage.execution",
        )
    with _talk(agent) as talk:
        return talk.send(
            "prompt",
            text,
            ready,
            lambda screen, label: hand_over.prompt(talk.terminal, screen, label, text.replace("\r\n", "\n")),
            force=force,
            within_s=within_s,
        )


def send_keys(agent: Agent, keys: str, *, literal: bool = False, force: bool = False, within_s: float = 0.0) -> Sent:
    """Type keys where the agent waits for somebody: at its prompt, or at a question."""
    strokes = tuple(Stroke(key.text, key.literal) for key in sequence(keys, literal=literal))
    require_live(agent, "send keys to")
    _must_have_terminal(agent)
    with _talk(agent) as talk:
        return talk.send(
            "send_keys",
            keys,
            listening,
            lambda screen, label: hand_over.keys(talk.terminal, screen, strokes),
            force=force,
            within_s=within_s,
        )


def interrupt(agent: Agent, *, force: bool = False) -> Sent:
    """Stop the running turn with one Escape; success and no request where none runs."""
    require_live(agent, "interrupt")
    if agent.headless:
        return _ended_turn(agent)
    with _talk(agent) as talk:
        screen = talk.look()
        reading = read(talk.terminal.provider, screen)
        if reading.state is ScreenState.IDLE and not force:
            return Sent(agent, "", "interrupt", Outcome.DELIVERED, "no turn runs: there is nothing to interrupt")
        # A busy screen moves all the time, so it is not compared: an Escape that comes too late meets an idle prompt.
        sent = talk.send(
            "interrupt",
            "",
            interruptible,
            lambda _, label: hand_over.keys(talk.terminal, None, ESCAPE),
            force=force,
            within_s=0.0,
        )
        if sent.success:
            talk.empty_prompt()
        return sent


def ready(reading: Reading) -> Verdict:
    """A prompt may be typed: the program waits for one, and nothing waits to be sent before it."""
    if reading.state is not ScreenState.IDLE:
        return Verdict("prompt.not_ready", f"its screen is {reading.state.value}")
    if reading.surface.pending_input is Tri.YES:
        return Verdict("prompt.pending_input", "text waits in its prompt box already")
    if reading.surface.pending_input is Tri.UNKNOWN:
        return Verdict("prompt.pending_input_unknown", "nobody can tell whether text waits in its prompt box")
    return Verdict()


def listening(reading: Reading) -> Verdict:
    """Keys mean something: at a prompt, or at a question."""
    if reading.state in (ScreenState.IDLE, ScreenState.ASKING):
        return Verdict()
    return Verdict("prompt.not_ready", f"its screen is {reading.state.value}")


def interruptible(reading: Reading) -> Verdict:
    """A turn runs; at a question an Escape would be an answer."""
    if reading.state is ScreenState.BUSY:
        return Verdict()
    return Verdict("prompt.not_busy", f"its screen is {reading.state.value}")


def _turn(agent: Agent, text: str, model: str | None, level: int | None) -> Sent:
    """A prompt to a headless agent is a turn, waited for."""
    from reconciler.app import turns
    from reconciler.ports.build import ModelConfig

    found = turns.submit(agent, text, model=None if model is None and level is None else ModelConfig(model, level))
    detail = f"turn {found.row.id} is {found.status}" + (f": {found.error}" if found.error else "")
    outcome = Outcome.DELIVERED if found.status == turns.COMPLETED else Outcome.UNDELIVERED
    return Sent(agent, found.row.id, "prompt", outcome, detail, found.row.id, found.row.number)


def _ended_turn(agent: Agent) -> Sent:
    from reconciler.app import turns

    found = turns.interrupt(agent)
    if found is None:
        return Sent(agent, "", "interrupt", Outcome.DELIVERED, "no turn runs: there is nothing to interrupt")
    ended = found.status != turns.ACTIVE
    detail = f"turn {found.row.id} is {found.status}" + ("" if ended else ": its program does not end at SIGTERM")
    outcome = Outcome.DELIVERED if ended else Outcome.UNDELIVERED
    return Sent(agent, found.row.id, "interrupt", outcome, detail, found.row.id, found.row.number)


def _must_have_terminal(agent: Agent) -> None:
    if agent.headless:
        raise NotAdmitted(
            f"agent {agent.agent_name!r} is headless: there is no terminal to type at",
            hint=f"`{agent.command('turn submit --prompt TEXT')}` runs a turn",
            code="prompt.headless",
            ref=str(agent.ref),
        )


@contextmanager
def _talk(agent: Agent) -> "Iterator[Talk]":
    """The agent's turnstile, its log with what earlier senders left behind, and its terminal."""
    ports = agent.ports()
    try:
        with turnstile(ports.files, ports.clock, agent.session_root, HELD_S):
            log = ports.requests.log(agent.session_root)
            assert log is not None
            try:
                log.sweep(_now(ports))
                yield Talk(agent, ports, log)
            finally:
                log.close()
    finally:
        ports.catalog.close()


class Talk:
    """One sender at one agent, alone for as long as it takes."""

    __slots__ = ("_log", "_ports", "agent", "terminal")

    def __init__(self, agent: Agent, ports: Ports, log: RequestLog) -> None:
        self.agent = agent
        self._ports, self._log = ports, log
        provider = ports.providers[agent.tool]
        self.terminal = Terminal(ports.tmux, ports.clock, provider, agent.pane, agent.row.uid, agent.pid)

    def look(self) -> Screen:
        """What its terminal shows now; raises NotAdmitted when nobody can say."""
        screen = self.terminal.look()
        if isinstance(screen, Unanswered):
            raise NotAdmitted(
                f"the terminal of {self.agent.agent_name!r} cannot be read: {screen.why}",
                hint=f"`{self.agent.command('state')}` looks again",
                code="prompt.unseen",
                ref=str(self.agent.ref),
            )
        return screen

    def send(
        self,
        kind: str,
        text: str,
        judge: Judge,
        hand: Callable[[Screen | None, str], Handed],
        *,
        force: bool,
        within_s: float,
    ) -> Sent:
        """Judge, write the intent, hand over, commit; again where only the screen moved in between."""
        clock = self._ports.clock
        deadline = clock.monotonic() + within_s
        screen, overridden = self._admitted(judge, deadline, force=force)
        request_id = f"req-{clock.new_uid()}"
        self._log.begin(
            Entry(
                request_id,
                kind,
                Outcome.INTENT,
                digest_bytes(text.encode()),
                len(text),
                self._ports.environ.get("USER") or "unknown",
                _now(self._ports),
                sight=sight(screen),
            )
        )
        try:
            handed = hand(None if force else screen, request_id)
            for _ in range(TRIES):
                if not handed.moved:
                    break
                screen, overridden = self._admitted(judge, max(deadline, clock.monotonic() + POLL_S), force=force)
                handed = hand(screen, request_id)
        except NotAdmitted as why:
            self._log.settle(request_id, Outcome.UNDELIVERED, _now(self._ports), why.message)
            raise
        detail = handed.detail or _said(kind)
        if overridden:
            detail += f"; forced, although {overridden}"
        self._log.settle(request_id, handed.outcome, _now(self._ports), detail)
        if handed.outcome is Outcome.DELIVERED:
            self._moved_on(screen)
        return Sent(self.agent, request_id, kind, handed.outcome, detail)

    def empty_prompt(self) -> None:
        """A program may put an interrupted prompt back into its box, where it would join the next one: clear it."""
        clock = self._ports.clock
        deadline = clock.monotonic() + CLEARED_S
        while clock.monotonic() < deadline:
            screen = self.terminal.look()
            if isinstance(screen, Unanswered):
                return
            reading = read(self.terminal.provider, screen)
            if reading.state is ScreenState.IDLE:
                if reading.surface.pending_input is Tri.YES:
                    clock.sleep(PAUSE_S)
                    screen = self.look()
                    hand_over.keys(self.terminal, screen, (Stroke("C-u"),))
                return
            clock.sleep(POLL_S)

    def _admitted(self, judge: Judge, deadline: float, *, force: bool) -> tuple[Screen, str]:
        """The screen that admits it, and what `force` overrides; raises NotAdmitted at the deadline."""
        still, settles_s = Stillness(self._ports.clock), self.terminal.provider.resume_settles_s
        given = self._ports.clock.monotonic() + 2 * settles_s
        while True:
            screen = self.look()
            reading = read(self.terminal.provider, screen)
            verdict = judge(reading)
            if not verdict.why and self._untouched(screen):
                verdict = Verdict("prompt.not_ready", "it has not taken up the last request yet")
            empty = reading.state is ScreenState.IDLE and reading.result is TurnResult.NONE
            if not verdict.why and empty and still.of(screen) < settles_s:
                verdict = Verdict("prompt.not_ready", "its conversation may still be loading")
                deadline = max(deadline, given)
            if not verdict.why or force:
                return screen, verdict.why
            if self._ports.clock.monotonic() >= deadline:
                raise NotAdmitted(
                    f"agent {self.agent.agent_name!r} is not ready: {verdict.why}; nothing was sent",
                    hint=f"`--ready-within 30s` waits for it, `--force` types all the same; "
                    f"`{self.agent.command('state')}` shows it",
                    code=verdict.code,
                    ref=str(self.agent.ref),
                )
            self._ports.clock.sleep(POLL_S)

    def _untouched(self, screen: Screen) -> bool:
        """It shows what it showed when something was handed over a moment ago."""
        latest = self._log.latest()
        if not latest or latest[0].sight != sight(screen) or latest[0].outcome is Outcome.UNDELIVERED:
            return False
        from datetime import datetime

        age = self._ports.clock.now_utc() - datetime.fromisoformat(latest[0].at)
        return 0 <= age.total_seconds() < TAKEN_S

    def _moved_on(self, before: Screen) -> None:
        """Until the screen is another one, so that the next sender does not judge by this one."""
        clock = self._ports.clock
        deadline = clock.monotonic() + TAKEN_S
        shown = sight(before)
        while clock.monotonic() < deadline:
            screen = self.terminal.look()
            if isinstance(screen, Unanswered) or sight(screen) != shown:
                return
            clock.sleep(POLL_S / 5)


def _said(kind: str) -> str:
    return {"prompt": "the prompt was submitted", "interrupt": "Escape was sent"}.get(kind, "the keys were sent")


def _now(ports: Ports) -> str:
    return ports.clock.now_utc().isoformat()
