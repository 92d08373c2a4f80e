"""What a watch says while it runs: a line for each thing that is new, beside the actions as `apply` shows them.

Whatever is said after a sleep stands below the local time; a look that has nothing to say prints no time either.
"""

from reconciler.app.watch.lead import Ended, MakeWakers
from reconciler.cli import render_report
from reconciler.cli.complain import printable
from reconciler.cli.run import Teller
from reconciler.model.json import Json, JsonMap
from reconciler.ports.clock import Clock
from reconciler.ports.wakers import Followed, Wakers, Woken


class Watching:
    """Hands events on, and says what a person wants to know of them."""

    __slots__ = ("_clock", "_screen", "_teller")

    def __init__(self, teller: Teller, clock: Clock | None = None) -> None:
        """Without a clock no times are told: somebody else writes them, or it is one look alone."""
        self._teller = teller
        self._clock = clock
        self._screen = teller.screen
        self.woken()

    def woken(self) -> None:
        """Something else begins: the next line stands below its time."""
        if self._clock is not None:
            self._screen.headed(self._time)

    def wakers(self, make: MakeWakers) -> MakeWakers:
        """Wakers that say when the watch slept."""
        return lambda ports: _Heard(make(ports), self)

    def _time(self) -> str:
        assert self._clock is not None
        local = self._clock.now_utc().astimezone()
        return self._screen.paint(local.strftime("%Y-%m-%d %H:%M:%S"), "dim")

    def emit(self, kind: str, fields: JsonMap) -> None:
        """One event."""
        self._teller.emit(kind, fields)
        line = _said(kind, fields)
        if line:
            for part in self._screen.wrapped(printable(line), 0):
                self._screen.line(part)
            self._screen.flush()

    def ended(self, ended: Ended) -> None:
        """The end: how the last look left things, and the last line of the events."""
        if ended.fault is not None and ended.interrupted is None:
            self._screen.line(f"the source cannot be used: {printable(ended.fault.message)}")
        elif ended.report is not None and ended.interrupted is None:
            render_report.show(ended.report, self._screen, "watch")
        elif ended.interrupted is not None:
            self._screen.line("stopped as asked; agents go on without the watch")
        self._teller.ended(ended.exit_code, {"interrupted": ended.interrupted})


class _Heard:
    """The same wakers; that they were slept on is told."""

    __slots__ = ("_told", "_wakers")

    def __init__(self, wakers: Wakers, told: Watching) -> None:
        self._wakers = wakers
        self._told = told

    def follow(self, what: Followed) -> None:
        """Listen to exactly this from now on."""
        self._wakers.follow(what)

    def wait(self, seconds: float | None) -> tuple[Woken, ...]:
        """Sleep; a mere question whether there is something begins nothing."""
        found = self._wakers.wait(seconds)
        if seconds != 0:
            self._told.woken()
        return found

    def rest(self) -> None:
        """A long sleep may follow."""
        self._wakers.rest()

    def close(self) -> None:
        """Let go of all."""
        self._wakers.close()


def _said(kind: str, fields: JsonMap) -> str:
    match kind:
        case "source":
            return _source(fields)
        case "lock" if fields.get("held"):
            return f"watching; this process writes with token {fields.get('token')}"
        case "lock" if fields.get("lent_to"):
            return f"process {fields.get('lent_to')} has its turn ({fields.get('purpose')})"
        case "drift" | "prune_candidate":
            return f"{fields.get('ref')} {fields.get('code')}: {fields.get('text')}"
        case "wait":
            return f"{fields.get('verb')} {fields.get('ref')} waits ({fields.get('code')}): {fields.get('text')}"
        case "diagnostic":
            hint = f" ({fields['hint']})" if fields.get("hint") else ""
            return f"error[{fields.get('code')}]: {fields.get('message')}{hint}"
    return ""


def _source(fields: JsonMap) -> str:
    event = fields.get("event")
    if event in ("Compiled", "Recovered"):
        well = " again" if event == "Recovered" else ""
        count = fields.get("declared")
        return f"the source reads well{well}: {count} resource{'' if count == 1 else 's'}"
    if event == "Fetched":
        return f"the source is at commit {str(fields.get('revision'))[:12]}"
    if event in ("SourceInvalid", "SourceUnavailable"):
        kept = "what was declared before stays in force" if fields.get("kept") else "nothing is done until it can be"
        return f"the source cannot be used, {kept}: {_first(fields.get('problems'))}"
    return ""


def _first(problems: Json) -> str:
    if not isinstance(problems, list) or not problems or not isinstance(problems[0], dict):
        return "no reason is known"
    first = problems[0]
    where = first.get("position")
    at = f"{where.get('file')}:{where.get('line')}: " if isinstance(where, dict) else ""
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{at}{first.get('message')}{more}"
