"""What one picture of an agent's screen says: no memory, no clock.

What a screen does not show is `unknown`, a value of its own: it is never taken for `no`, and never for ready.
"""

from collections.abc import Callable
from enum import StrEnum

from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.tmux import Screen


class Tri(StrEnum):
    """Yes, no, or not to be seen."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ScreenState(StrEnum):
    """A reading in one word. `idle` is no permission to type: a headless agent is idle and has nothing to type into."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    ASKING = "asking"
    CRASHED = "crashed"
    UNKNOWN = "unknown"


class TurnResult(StrEnum):
    """How a turn ended; `none` where none has. On the wire only the managed view has `unknown`."""

    SUCCESS = "success"
    INTERRUPTED = "interrupted"
    KNOWN_FAILURE = "known_failure"
    NONE = "none"
    UNKNOWN = "unknown"


class DialogKind(StrEnum):
    """What a dialog is about."""

    TRUST = "trust"
    LOGIN = "login"
    PERMISSION = "permission"
    UPDATE = "update"
    OTHER = "other"


class Dialog(NamedTuple):
    """A question that waits for an operator, as it stands on the screen."""

    kind: DialogKind
    text: str


class Surface(NamedTuple):
    """What the prompt box lets one do."""

    accepting_input: Tri = Tri.UNKNOWN
    """Text typed now would land in the prompt box."""
    editing_input: Tri = Tri.UNKNOWN
    """Somebody has text in the box and the agent is idle."""
    ready_posture: Tri = Tri.UNKNOWN
    """Enter would start a turn at once: the box is there, nothing is busy, nothing asks."""
    pending_input: Tri = Tri.UNKNOWN
    """Text waits to be sent: in the box, or queued behind the running turn."""

    def to_json(self) -> JsonMap:
        """In the wire's keys."""
        return {name: value.value for name, value in zip(self._fields, self, strict=True)}


class Reading(NamedTuple):
    """What one capture says by itself."""

    surface: Surface = Surface()
    busy: Tri = Tri.UNKNOWN
    asking: Dialog | None = None
    crashed: bool = False
    starting: bool = False
    """Nothing but a start-up picture; a turn has not been possible yet."""
    result: TurnResult = TurnResult.UNKNOWN
    """How the newest turn that this screen shows ended; `none` where it shows no turn, or one that runs."""
    anomalies: tuple[str, ...] = ()
    """Codes of what did not fit (`title_disagrees`, `unknown_screen`, …)."""
    body: str = ""
    """Digest of the newest of what was said: the end of the screen above the prompt box, without moving parts."""
    lines: int = 0
    """Lines that were said and are still to be seen."""
    pulse: str = ""
    """Digest of the parts that move while it works; empty where none does."""

    @property
    def signature(self) -> str:
        """Equal while nothing but the moving parts changes."""
        flags = (*self.surface, self.busy, self.asking, self.crashed, self.starting, self.result, self.anomalies)
        return digest_of(f"{flags!r}\n{self.body}\n{self.lines}")

    @property
    def state(self) -> ScreenState:
        """The reading in one word; unknown unless it is certain."""
        if self.crashed:
            return ScreenState.CRASHED
        if self.asking:
            return ScreenState.ASKING
        if self.busy is Tri.YES:
            return ScreenState.BUSY
        if self.busy is Tri.NO:
            return ScreenState.IDLE
        return ScreenState.STARTING if self.starting else ScreenState.UNKNOWN

    def to_json(self) -> JsonMap:
        """The parsed surface of the wire, without the parser's name."""
        dialog = self.asking.text if self.asking else ""
        lines = dialog.splitlines()
        return {
            "business_state": _BUSINESS[self.state],
            "input_mode": self._input_mode(),
            "ui_context": f"{self.asking.kind.value}_dialog" if self.asking else self._context(),
            "dialog_text": dialog or None,
            "dialog_head": lines[0] if lines else None,
            "dialog_tail": lines[-1] if lines else None,
            "anomaly_codes": list(self.anomalies),
        }

    def _input_mode(self) -> str:
        if self.asking:
            return "modal"
        return {Tri.YES: "freeform", Tri.NO: "closed", Tri.UNKNOWN: "unknown"}[self.surface.accepting_input]

    def _context(self) -> str:
        if self.state in (ScreenState.IDLE, ScreenState.BUSY):
            return "normal_prompt"
        return {ScreenState.STARTING: "startup", ScreenState.CRASHED: "crashed"}.get(self.state, "unknown")


_BUSINESS = {
    ScreenState.STARTING: "starting",
    ScreenState.IDLE: "idle",
    ScreenState.BUSY: "working",
    ScreenState.ASKING: "awaiting_operator",
    ScreenState.CRASHED: "failed",
    ScreenState.UNKNOWN: "unknown",
}

Read = Callable[[Screen], Reading]
"""A provider's reader: pure, and never raises."""


def digest_of(text: str) -> str:
    """16 hex digits; equal texts, equal digits."""

    from hashlib import blake2b  # with all of OpenSSL: who only names the words takes no digest

    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
