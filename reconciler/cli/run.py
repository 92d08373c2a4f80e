"""What `apply` and `delete` share: signals, confirmation, progress, events, and the report at the end."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from reconciler.app.ask import Said
from reconciler.app.discovery import value_of
from reconciler.app.request import RunFlags
from reconciler.cli import orders, places, render_plan, render_report, screen
from reconciler.cli.complain import printable
from reconciler.cli.events import Events
from reconciler.cli.grammar import Args, Usage
from reconciler.cli.render_data import write
from reconciler.model import names
from reconciler.model.action import Plan
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Report

NOTHING = {"delete": "Nothing to delete."}
"""What an empty plan means to a command, where it is not that all is as declared."""


class Stop:
    """The first SIGINT or SIGTERM asks the run to stop; the second ends the program at once (R-EXE-8)."""

    __slots__ = ("signal",)

    def __init__(self) -> None:
        self.signal: int | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.signal is not None:
            from os import _exit

            _exit(128 + number)
        self.signal = number

    def asked(self) -> int | None:
        """The signal, once there was one."""
        return self.signal


class Teller:
    """Says what a run does: to a person, to a program, to an event stream."""

    __slots__ = (
        "_command",
        "_events",
        "_form",
        "_log",
        "_metering",
        "_progress",
        "_said",
        "_screen",
        "_shown",
        "_wide",
    )

    def __init__(self, args: Args) -> None:
        self._command = args.command.path
        self._wide = screen.is_wide(args)
        self._form = screen.data_format(args)
        where = args.maybe("events")
        if where == "-" and self._form:
            raise Usage("--events=- and -o share standard output", "write the events to a file or to fd:N")
        data = bool(self._form) or where == "-"
        self._screen = screen.stderr(args) if data else screen.stdout(args)
        self._progress = render_report.Progress(self._screen)
        self._shown: str | None = None
        self._said: Said | None = None
        self._events: Events | None = None
        self._log = _log(args)
        self._metering = _metering(args)
        if where is not None:
            from reconciler.app.session import open_session

            self._events = Events(where, open_session(places.flags(args)).reader.clock.now_utc)

    def told(self, said: Said) -> None:
        """What kind of thing a verb is, and what it changes or asks for (R-IMP-1); once."""
        if self._said is not None:
            return
        self._said = said
        tell(said, self._screen)

    def shown(self, plan: Plan) -> None:
        """Print a plan before it runs; the same one is not printed twice."""
        self._progress.expect(len(plan.running))
        if self._shown == plan.digest():
            return
        self._shown = plan.digest()
        if not self._form or not plan.empty:
            render_plan.show(plan, self._screen, nothing=NOTHING.get(self._command), wide=self._wide)
            self._screen.flush()

    def confirm(self, plan: Plan) -> bool:
        """Ask on a terminal; anywhere else the answer is no (R-CLI-6)."""
        from reconciler.app.settings import in_ci

        if in_ci() or not sys.stdin.isatty() or not self._screen.terminal:
            return False
        self._screen.line()
        self._screen.line("Go on? Only 'yes' does.")
        self._screen.flush()
        return sys.stdin.readline().strip() == "yes"

    def emit(self, kind: str, fields: JsonMap) -> None:
        """One event of the run."""
        if self._events is not None:
            self._events.emit(kind, fields)
        if self._log is not None:
            self._log.event(kind, fields)
        if self._metering is not None:
            self._metering.event(kind, fields)
        self._progress.event(kind, fields)

    def report(self, report: Report) -> int:
        """The end, and its exit code."""
        if self._form:
            body = report.to_json() if self._said is None else {**report.to_json(), "request": self._said.to_json()}
            write(body, self._form, lambda: [render_report.one_line(o) for o in report.outcomes])
        else:
            render_report.show(report, self._screen, self._command)
        self.ended(report.exit_code, {"applied": len(report.outcomes)})
        return report.exit_code

    @property
    def screen(self) -> screen.Screen:
        """Where it talks to a person."""
        return self._screen

    @property
    def metering(self) -> "Metering | None":
        """What counts, where that was asked for."""
        return self._metering

    def ended(self, code: int, fields: JsonMap) -> None:
        """The last line of the event stream, also where an error ended the run."""
        if self._log is not None:
            self._log.event("summary", {"exit_code": code, **fields})
            self._log.close()
            self._log = None
        if self._metering is not None:
            self._metering.ended(code)
            self._metering = None
        if self._events is not None:
            self._events.summary(code, fields)
            self._events = None


def _log(args: Args) -> "Log | None":
    if args.maybe("log") is None and not value_of(names.ENV_LOG):
        return None
    from reconciler.cli.log import Log, asked

    where = asked(args)
    return Log(where) if where is not None else None


def _metering(args: Args) -> "Metering | None":
    where = args.maybe("metrics")
    if where is None:
        return None
    from reconciler.cli.metering import Metering

    return Metering(where)


def tell(said: Said, out: screen.Screen) -> None:
    """One line for what it is, one for each thing it names."""
    out.line(out.paint(f"{said.headline}:" if said.lines else f"{said.headline}: nothing to change.", "bold"))
    for line in said.lines:
        out.line(f"  {printable(line)}")


def run(args: Args, use_case: Callable[[RunFlags, Teller], Report]) -> int:
    """Run `use_case` with everything it needs and answer the exit code of its report."""
    how = orders.running(args)
    stop, teller = Stop(), Teller(args)
    try:
        report = use_case(how._replace(stopping=stop.asked), teller)
    except ReconcilerError as error:
        teller.ended(error.exit_code, {"error": error.to_json()})
        raise
    return teller.report(report)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.cli.log import Log
    from reconciler.cli.metering import Metering
