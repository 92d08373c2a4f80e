"""How an apply ended, and its progress line by line while it runs."""

from reconciler.cli.complain import printable
from reconciler.cli.render_plan import SYMBOLS
from reconciler.cli.screen import Screen
from reconciler.model.action import Verb
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Outcome, Report, Result

MARKS = {
    Result.SETTLED.value: ("✓", "green"),
    Result.FAILED.value: ("✗", "red"),
    Result.SKIPPED.value: ("-", "yellow"),
    Result.STALE.value: ("?", "yellow"),
}


class Progress:
    """One line per action as it settles; on a terminal also one as it starts."""

    __slots__ = ("_done", "_screen", "_total")

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._total = 0
        self._done = 0

    def expect(self, total: int) -> None:
        """How many actions there are to come."""
        self._total, self._done = total, 0

    def event(self, kind: str, fields: JsonMap) -> None:
        """An event of the run, as it happens."""
        if kind == "action_end":
            self._done += 1
            self._ended(fields)
        elif kind == "action_start" and self._screen.lively:
            verb = str(fields.get("verb"))
            symbol = SYMBOLS[Verb(verb)][0] if verb in {v.value for v in Verb} else " "
            self._screen.line(self._screen.paint(f"  {symbol} {verb:<9} {fields.get('ref')} …", "dim"))
        elif kind == "lock":
            self._locked(fields)
        elif kind == "wait" and "rollout" not in fields:
            for line in self._screen.wrapped(f"… {fields.get('ref')} waits: {fields.get('text')}", 2):
                self._screen.line(self._screen.paint(line, "yellow"))
        elif kind == "source" and fields.get("event") == "OverlayCreated":
            self._screen.line(f"created the overlay {printable(str(fields.get('overlay')))}")
        self._screen.flush()

    def _locked(self, fields: JsonMap) -> None:
        holder = fields.get("waiting_for")
        if holder is not None:
            wait = fields.get("seconds")
            self._screen.line(f"waiting up to {wait} s for process {holder}, which holds the lock")
        elif fields.get("lender_ended") is not None:
            self._screen.line(
                f"the watch that lent its lock (process {fields.get('lender_ended')}) ended meanwhile; "
                "this run went on without it, and nobody watches now"
            )

    def _ended(self, fields: JsonMap) -> None:
        outcome, took = str(fields.get("outcome")), fields.get("duration_ms")
        mark, colour = MARKS.get(outcome, (" ", ""))
        count = f"[{self._done}/{self._total}] " if self._total else ""
        seconds = f"  {took / 1000:.1f}s" if isinstance(took, int) and took else ""
        self._screen.line(
            self._screen.paint(f"  {mark} {count}{fields.get('verb')} {fields.get('ref')}", colour)
            + self._screen.paint(seconds, "dim")
            + (f"  {outcome}" if outcome != Result.SETTLED.value else "")
        )
        error = fields.get("error")
        if isinstance(error, dict):
            for line in self._screen.wrapped(f"error[{error.get('code')}]: {error.get('message')}", 6):
                self._screen.line(self._screen.paint(line, "red"))
            if error.get("hint"):
                self._screen.line(f"      hint: {printable(str(error['hint']))}")
        elif fields.get("reason"):
            self._screen.line(f"      {printable(str(fields['reason']))}")
        if fields.get("note"):
            self._screen.line(f"      {printable(str(fields['note']))}")


def show(report: Report, screen: Screen, command: str) -> None:
    """The last lines of a run: what was done, what was not, what is left."""
    if report.already_applied:
        screen.line("AlreadyApplied: all of this plan is done; nothing was changed.")
    counts = {result: sum(1 for o in report.outcomes if o.result is result) for result in Result}
    if report.outcomes:
        parts = [f"{count} {result.value}" for result, count in counts.items() if count]
        screen.line()
        screen.line(screen.paint(f"{_done(report, command)}: {', '.join(parts)}.", "bold"))
    for action in report.plan.actions:
        if action.verb is Verb.BLOCKED:
            screen.line(screen.paint(f"  x blocked: {action.ref}: {action.reasons[0].text}", "red"))
    for action in report.remaining if not counts[Result.FAILED] else ():
        for line in screen.wrapped(f"left for the next apply: {action}", 2):
            screen.line(line)
    if report.not_ready:
        screen.line(screen.paint(f"not Ready in time: {', '.join(report.not_ready)}", "red"))
        screen.line(f"  hint: `houmao describe {report.not_ready[0].lower()}` says why")
    elif report.timed_out:
        screen.line(screen.paint("the time was over before everything was settled", "red"))
    if report.interrupted:
        screen.line("stopped as asked; apply again to go on")


def _done(report: Report, command: str) -> str:
    ended = "stopped" if report.interrupted else "ended with errors" if report.exit_code else "done"
    return f"{command.capitalize()} {ended}"


def one_line(outcome: Outcome) -> str:
    """`create Instance/alice settled`, for `-o name`."""
    return f"{outcome.action.ref} {outcome.action.verb.value} {outcome.result.value}"
