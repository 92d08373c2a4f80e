"""Gateways: a sidecar per agent, seen from outside, and the durable queue it keeps inside.

From outside a gateway is a process that answers at an address: `Gateways` looks at run files, processes and `/health`,
and starts detached ones. Inside, `GatewayQueue` holds what was asked: an intent row is durable before anything is typed
and a commit row after it, so that a gateway that is killed in between leaves an `unknown`, never a second delivery.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple

PROTOCOL = "v1"
FOLDER = "gateway"
"""Below the session root."""
ATTACH_FILE = "attach.json"
DESIRED_FILE = "desired-config.json"
RUN_FILE = "run/current-instance.json"
STATE_FILE = "state.json"
TOKEN_FILE = "token"
QUEUE_FILE = "queue.sqlite"
LOG_FILE = "logs/gateway.log"
HOSTS = ("127.0.0.1", "0.0.0.0")
WINDOW = "gateway"
PROMPT_MAX = 200_000
"""Characters of one prompt."""
BODY_MAX = 1_048_576
"""Bytes of one request body."""


class GatewayFault(ReconcilerError):
    """A gateway that is not there, does not answer, or said no: `gateway.not_attached`, `gateway.silent`, …"""

    code = "gateway.failed"


class ExecutionMode(StrEnum):
    """Where the process lives."""

    AUXILIARY = "tmux_auxiliary_window"
    """In a window of the agent's session: it ends with the session."""
    DETACHED = "detached_process"
    """In a process session of its own."""


TIMINGS = (
    "watch_poll_interval",
    "stability_threshold",
    "completion_stability",
    "unknown_to_stalled_timeout",
    "stale_active_recovery",
    "final_stable_active_recovery",
)
"""What may be said of how the screen is followed, in seconds; their defaults are those of `ports.screen.Timings`."""


class GatewayOrder(NamedTuple):
    """How a gateway shall run."""

    host: str = HOSTS[0]
    port: int = 0
    """0 lets the kernel choose; the one that was chosen is taken again where it is free."""
    mode: ExecutionMode = ExecutionMode.AUXILIARY
    timings: tuple[tuple[str, float], ...] = ()
    """Those that were declared, by their names in `TIMINGS`."""
    fixed: bool = False
    """The port was declared: another one will not do."""

    def to_json(self) -> JsonMap:
        """The content of `desired-config.json`."""
        return {
            "desired_host": self.host,
            "desired_port": self.port,
            "desired_port_declared": self.fixed,
            "desired_execution_mode": self.mode.value,
            "desired_tui_tracking_timings": {f"{name}_seconds": value for name, value in self.timings},
            "desired_diagnostic_logging": False,
        }


def order_of(body: Mapping[str, Json]) -> GatewayOrder:
    """An order from `desired-config.json`; what is missing or makes no sense has its default."""
    host, port, mode = body.get("desired_host"), body.get("desired_port"), body.get("desired_execution_mode")
    said = body.get("desired_tui_tracking_timings")
    timings: list[tuple[str, float]] = []
    for name in TIMINGS:
        value = said.get(f"{name}_seconds") if isinstance(said, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6:
            timings.append((name, float(value)))
    return GatewayOrder(
        host if isinstance(host, str) and host in HOSTS else HOSTS[0],
        port if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536 else 0,
        ExecutionMode.DETACHED if mode == ExecutionMode.DETACHED else ExecutionMode.AUXILIARY,
        tuple(timings),
        body.get("desired_port_declared") is True,
    )


class Running(NamedTuple):
    """A gateway that lives and answers."""

    pid: int
    ticks: int
    host: str
    port: int
    mode: ExecutionMode
    epoch: int = 0
    instance: str = ""
    """Which start of the agent it serves."""
    window_id: str = ""
    window_index: str = ""
    pane_id: str = ""

    def to_json(self) -> JsonMap:
        """The content of `run/current-instance.json`, which adds the start ticks to what peers write."""
        return {
            "pid": self.pid,
            "start_ticks": self.ticks,
            "host": self.host,
            "port": self.port,
            "protocol_version": PROTOCOL,
            "execution_mode": self.mode.value,
            "gateway_tmux_window_id": self.window_id or None,
            "gateway_tmux_window_index": self.window_index or None,
            "gateway_tmux_pane_id": self.pane_id or None,
            "managed_agent_instance_epoch": self.epoch,
            "managed_agent_instance_id": self.instance or None,
        }


def running_of(body: Mapping[str, Json]) -> Running | None:
    """What a run file says, or None when it is none of ours."""

    def number(key: str) -> int:
        found = body.get(key)
        return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else -1

    def text(key: str) -> str:
        found = body.get(key)
        return found if isinstance(found, str) else ""

    pid, ticks, port, mode = number("pid"), number("start_ticks"), number("port"), text("execution_mode")
    if pid <= 1 or ticks < 0 or not 0 < port < 65536 or text("host") not in HOSTS or mode not in list(ExecutionMode):
        return None
    return Running(
        pid,
        ticks,
        text("host"),
        port,
        ExecutionMode(mode),
        max(0, number("managed_agent_instance_epoch")),
        text("managed_agent_instance_id"),
        text("gateway_tmux_window_id"),
        text("gateway_tmux_window_index"),
        text("gateway_tmux_pane_id"),
    )


class Down(NamedTuple):
    """It is certain that no gateway runs on this root."""

    why: str


class Silent(NamedTuple):
    """A process is there that does not answer, or it could not be looked at: ignorance, never absence."""

    why: str
    running: Running | None = None


GatewaySeen = Running | Down | Silent


class Reply(NamedTuple):
    """An answer of a gateway."""

    status: int
    body: bytes


class NoReply(NamedTuple):
    """There was none. `sent` is False when it is certain that nothing of the request arrived."""

    why: str
    sent: bool


class GatewaysReader(Protocol):
    """The half that only looks."""

    @property
    def program(self) -> tuple[str, ...]:
        """The words that start a gateway, up to its arguments."""
        ...

    def seen(self, roots: Sequence[str]) -> Mapping[str, GatewaySeen]:
        """For each session root whether a gateway lives there: run file, process, `/health`; all at once, no raise."""
        ...

    def call(
        self,
        at: tuple[str, int],
        method: str,
        path: str,
        body: JsonMap | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] = {},
        timeout_s: float = 30.0,
    ) -> Reply | NoReply:
        """One HTTP request to a gateway of this host; never raises."""
        ...


class Gateways(GatewaysReader, Protocol):
    """Starting."""

    def start(self, argv: Sequence[str], root: str) -> int:
        """Start a detached gateway in a process session of its own, its output in its log; the pid.

        Raises Unreachable when it cannot be started.
        """
        ...


class Kind(StrEnum):
    """What a row of the queue asks for."""

    SUBMIT_PROMPT = "submit_prompt"
    INTERRUPT = "interrupt"
    CONTROL_PROMPT = "control_prompt"
    """Delivered while its caller waits: it never stands in line, but leaves the same two rows."""
    SEND_KEYS = "send_keys"
    REMINDER = "reminder"


class State(StrEnum):
    """Where a row stands."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    """The intent is durable; whether anything was typed is not yet."""
    COMPLETED = "completed"
    FAILED = "failed"
    """Nothing was typed."""
    COALESCED = "coalesced"
    UNKNOWN = "unknown"
    """An intent without a commit: perhaps typed, never to be typed again."""
    BLOCKED = "blocked"
    """It was meant for an earlier start of the agent (`reconciliation_required`)."""

    @property
    def settled(self) -> bool:
        """Nothing more will come of it."""
        return self not in (State.ACCEPTED, State.RUNNING)


class Row(NamedTuple):
    """One request."""

    id: str
    kind: Kind
    payload: JsonMap
    state: State
    accepted_at: str
    epoch: int
    started_at: str = ""
    finished_at: str = ""
    detail: str = ""
    result: JsonMap = {}  # noqa: RUF012  # nobody changes it
    """What it became, beyond its state: the headless turn that a prompt began."""

    def to_json(self) -> JsonMap:
        """What `GET /v1/requests/<id>` answers; the prompt itself is not repeated."""
        return {
            "request_id": self.id,
            "request_kind": self.kind.value,
            "state": self.state.value,
            "accepted_at_utc": self.accepted_at,
            "started_at_utc": self.started_at or None,
            "finished_at_utc": self.finished_at or None,
            "detail": self.detail or None,
            "managed_agent_instance_epoch": self.epoch,
            **self.result,
        }


class ReminderRow(NamedTuple):
    """One reminder as stored."""

    id: str
    mode: str
    """`one_off` or `repeat`."""
    title: str
    prompt: str
    sequence: str
    """Keys to send; exactly one of prompt and sequence is not empty."""
    ensure_enter: bool
    ranking: int
    paused: bool
    interval_s: float
    """0 for `one_off`."""
    created_at: datetime
    due_at: datetime
    started_at: datetime | None = None
    order: int = 0
    """Rises with creation."""


class Recovered(NamedTuple):
    """What a start of the gateway found."""

    epoch: int
    unknown: tuple[str, ...]
    blocked: tuple[str, ...]


class Log(Protocol):
    """A file that only grows, up to a size; then it begins anew, and the one before is kept beside it."""

    def line(self, text: str) -> None:
        """Add one line; never raises: what happens is not worth less because it cannot be written down."""
        ...


class GatewayQueue(Protocol):
    """The durable part of one gateway; one process at a time, any thread of it."""

    def recover(self, instance: str, now: str) -> Recovered:
        """Before anything else: intents without commit become unknown, another instance raises the epoch, and what
        was accepted for an earlier epoch is blocked."""
        ...

    def put(self, row: Row) -> Row:
        """Store a new row; the one that has its id already is returned instead, untouched."""
        ...

    def get(self, request_id: str) -> Row | None: ...

    def accepted(self) -> tuple[Row, ...]:
        """Rows in line, oldest first."""
        ...

    def move(
        self,
        request_id: str,
        expected: State,
        state: State,
        now: str,
        detail: str = "",
        result: JsonMap | None = None,
    ) -> bool:
        """Durably from one state to another; False when it is not in `expected` any more."""
        ...

    def depth(self) -> int:
        """Rows in line or running; those whose callers wait are not in line."""
        ...

    def prune(self, keep: int) -> None:
        """Forget settled rows but the newest."""
        ...

    def next_session(self) -> str:
        """`new` where the next prompt of a headless agent shall begin a conversation; else empty."""
        ...

    def set_next_session(self, mode: str) -> None:
        """Ask for that, or take it back with the empty mode."""
        ...

    def reminders(self) -> tuple[ReminderRow, ...]:
        """By ranking, then creation."""
        ...

    def put_reminder(self, row: ReminderRow) -> None:
        """Insert, or replace by id."""
        ...

    def drop_reminder(self, reminder_id: str) -> bool: ...

    def fire(self, reminder: ReminderRow | None, reminder_id: str, row: Row) -> None:
        """In one transaction: the next due time of a reminder (None: it is used up), and the intent row of its text."""
        ...

    def close(self) -> None: ...
