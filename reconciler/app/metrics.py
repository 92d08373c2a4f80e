"""What a run or a watch counts, as text that Prometheus reads (R-LOG-1). Made of its events alone, and only when asked.

Names end as its conventions want them: `_total` counts, `_seconds` are seconds, `_timestamp_seconds` are moments. How
old an observation is, and how long ago all went well, is the moment taken from now.
"""

from collections.abc import Iterator
from threading import Lock

from reconciler import __version__
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.clock import Clock
from reconciler.ports.wakers import Woken

Labels = tuple[tuple[str, str], ...]


class Meter(NamedTuple):
    """One metric: its name, what it is of (`counter`, `gauge`, `summary`), and a sentence."""

    name: str
    type: str
    doc: str


METERS = (
    Meter("houmao_build_info", "gauge", "The release that counts."),
    Meter("houmao_resources", "gauge", "Declared resources at the last look."),
    Meter("houmao_plans_total", "counter", "Plans with something in them."),
    Meter("houmao_plan_actions", "gauge", "Actions of the last plan that had any."),
    Meter("houmao_actions_total", "counter", "Actions that ended, by kind, verb and outcome."),
    Meter("houmao_action_duration_seconds", "summary", "How long actions took, by kind, verb and outcome."),
    Meter("houmao_retries_total", "counter", "Actions that were tried again, by kind."),
    Meter("houmao_resources_failing", "gauge", "Resources whose last action failed; they are tried again ever later."),
    Meter("houmao_drift_total", "counter", "Drift that was reported and not repaired, by kind."),
    Meter("houmao_prune_candidates_total", "counter", "Resources that were found no longer declared, by kind."),
    Meter("houmao_waits_total", "counter", "Actions that were held back, by reason."),
    Meter("houmao_faults_total", "counter", "Looks that failed as a whole, by code."),
    Meter("houmao_source_faults_total", "counter", "Sources that could not be used, by what happened."),
    Meter("houmao_lock_wait_seconds_total", "counter", "How long another writer was waited for."),
    Meter("houmao_watch_wakeups_total", "counter", "What woke the watch, by waker; none is the timer."),
    Meter("houmao_watch_wakeups", "gauge", "How many wake-ups the last waking brought."),
    Meter("houmao_watch_queue_depth", "gauge", "What was due when the last look began; it answers all of it."),
    Meter("houmao_watch_queue_latency_seconds", "summary", "From being due to being looked at."),
    Meter("houmao_watch_backoff_seconds", "gauge", "The pause after a look that failed as a whole; 0 after any other."),
    Meter("houmao_watch_look_seconds", "summary", "From waking to sleeping again: looking, and what was run."),
    Meter("houmao_last_observation_timestamp_seconds", "gauge", "When the world was last looked at."),
    Meter("houmao_last_success_timestamp_seconds", "gauge", "When a look or a run last ended without a fault."),
)


class Meters:
    """Counts; threads may count at the same time."""

    __slots__ = ("_clock", "_failed", "_failing", "_lock", "_lock_wait_since", "_values", "_woken_at")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._values: dict[tuple[str, Labels], float] = {("houmao_build_info", (("version", __version__),)): 1.0}
        self._lock_wait_since: float | None = None
        self._woken_at: float | None = None
        self._failed = False
        self._failing: set[str] = set()

    # Counting

    def event(self, kind: str, fields: JsonMap) -> None:
        """One event of a run or a watch."""
        with self._lock:
            if kind != "lock" or "waiting_for" not in fields:
                self._lock_is_ours()
            match kind:
                case "lock" if "waiting_for" in fields:
                    self._lock_wait_since = self._clock.monotonic()
                case "observe":
                    self._set("houmao_resources", _number(fields.get("resources")))
                    self._set("houmao_last_observation_timestamp_seconds", self._now())
                case "plan":
                    self._add("houmao_plans_total")
                    self._set("houmao_plan_actions", _number(fields.get("actions")))
                    self._set("houmao_last_observation_timestamp_seconds", self._now())
                case "action_end":
                    self._ended(fields)
                case "retry_scheduled":
                    self._add("houmao_retries_total", kind=_kind(fields))
                case "drift":
                    self._add("houmao_drift_total", kind=_kind(fields))
                case "prune_candidate":
                    self._add("houmao_prune_candidates_total", kind=_kind(fields))
                case "wait":
                    self._add("houmao_waits_total", reason=str(fields.get("code")))
                case "diagnostic":
                    self._failed = True
                    self._add("houmao_faults_total", code=str(fields.get("code")))
                    if "again_s" in fields:
                        self._set("houmao_watch_backoff_seconds", _number(fields["again_s"]))
                case "source" if fields.get("event") in ("SourceInvalid", "SourceUnavailable"):
                    self._failed = True
                    self._add("houmao_source_faults_total", event=str(fields.get("event")))
                case "summary" if fields.get("exit_code") == 0:
                    self._set("houmao_last_success_timestamp_seconds", self._now())

    def woken(self, woken: tuple[Woken, ...]) -> None:
        """A watch woke."""
        with self._lock:
            self._woken_at = self._clock.monotonic()
            self._failed = False
            self._set("houmao_watch_wakeups", len(woken))
            for name in [each.kind for each in woken] or ["none"]:
                self._add("houmao_watch_wakeups_total", waker=name)

    def queued(self, waited_s: tuple[float, ...]) -> None:
        """A look begins, at so many things, which were due since so long."""
        with self._lock:
            self._set("houmao_watch_queue_depth", len(waited_s))
            for seconds in waited_s:
                self._took("houmao_watch_queue_latency_seconds", seconds)

    def resting(self) -> None:
        """A watch is about to sleep: what it woke for is done."""
        with self._lock:
            if self._woken_at is not None:
                self._took("houmao_watch_look_seconds", self._clock.monotonic() - self._woken_at)
                self._woken_at = None
            if not self._failed:
                self._set("houmao_watch_backoff_seconds", 0.0)
                self._set("houmao_last_success_timestamp_seconds", self._now())

    def _ended(self, fields: JsonMap) -> None:
        kind, verb = _kind(fields), str(fields.get("verb"))
        outcome = str(fields.get("outcome"))
        seconds = _number(fields.get("duration_ms")) / 1000
        self._failed = self._failed or outcome == "failed"
        self._add("houmao_actions_total", kind=kind, verb=verb, outcome=outcome)
        self._took("houmao_action_duration_seconds", seconds, kind=kind, verb=verb, outcome=outcome)
        ref = str(fields.get("ref"))
        (self._failing.add if outcome == "failed" else self._failing.discard)(ref)
        self._set("houmao_resources_failing", len(self._failing))

    def _lock_is_ours(self) -> None:
        if self._lock_wait_since is not None:
            self._add("houmao_lock_wait_seconds_total", self._clock.monotonic() - self._lock_wait_since)
            self._lock_wait_since = None

    def _now(self) -> float:
        return self._clock.now_utc().timestamp()

    def _add(self, name: str, by: float = 1.0, **labels: str) -> None:
        key = (name, tuple(sorted(labels.items())))
        self._values[key] = self._values.get(key, 0.0) + by

    def _set(self, name: str, to: float) -> None:
        self._values[(name, ())] = to

    def _took(self, name: str, seconds: float, **labels: str) -> None:
        self._add(f"{name}_sum", seconds, **labels)
        self._add(f"{name}_count", 1.0, **labels)

    # Telling

    def text(self) -> str:
        """All of it, in the text exposition format; what was never counted is left out."""
        with self._lock:
            values = dict(self._values)
        lines: list[str] = []
        for meter in METERS:
            found = list(_lines(meter, values))
            if found:
                lines += [f"# HELP {meter.name} {meter.doc}", f"# TYPE {meter.name} {meter.type}", *found]
        return "\n".join(lines) + "\n"


def _lines(meter: Meter, values: dict[tuple[str, Labels], float]) -> Iterator[str]:
    names = (f"{meter.name}_sum", f"{meter.name}_count") if meter.type == "summary" else (meter.name,)
    for (name, labels), value in sorted(values.items()):
        if name in names:
            told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
            yield f"{name}{{{told}}} {_shown(value)}" if told else f"{name} {_shown(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _shown(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _kind(fields: JsonMap) -> str:
    return str(fields.get("ref")).partition("/")[0]


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
