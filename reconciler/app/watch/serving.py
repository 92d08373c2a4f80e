"""What a watch does for others: it lends them its lock, one at a time, and looks again when it is asked to (R-LCK-5).

Who borrows works with its own files, environment and terminal, on the lock and the number of this watch; it sleeps
meanwhile and looks at everything afterwards. Should it be ended, the one who borrowed holds the lock until it is done.
"""

from reconciler.app.lock import Writer
from reconciler.app.request import Emit
from reconciler.app.watch.verbs import RECONCILE
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Report
from reconciler.ports.bundle import Ports
from reconciler.ports.lending import Asked, Desk


class Serving:
    """Who waits, who borrows, and who listens to the look that is under way."""

    def __init__(self, ports: Ports, writer: Writer, emit: Emit) -> None:
        self._ports = ports
        self._writer = writer
        self._emit = emit
        self._desk: Desk | None = None
        self._waiting: tuple[Asked, ...] = ()
        self._listening: list[Asked] = []
        self._borrower: Asked | None = None
        self.lent = 0
        """How often the lock was lent."""

    def receive(self) -> None:
        """Be found from now on; the lock is held."""
        self._desk = self._ports.lending.desk(self._ports.places.lock)

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when somebody asks."""
        return self._desk.descriptor if self._desk is not None else None

    def emit(self, kind: str, fields: JsonMap) -> None:
        """An event of this watch, also to those who asked for the look it belongs to."""
        self._emit(kind, fields)
        for asked in tuple(self._listening):
            if self._desk is None or not self._desk.tell(asked, {"event": kind, "fields": fields}):
                self._listening.remove(asked)

    def hear(self) -> bool:
        """Take in what is asked; whether anybody waits."""
        self._waiting = self._desk.asked() if self._desk is not None else ()
        return any(asked not in self._listening for asked in self._waiting)

    # Lending

    def lend(self) -> bool:
        """Lend the lock to whoever came first; whether somebody has it now."""
        asked = next((each for each in self._waiting if each.verb != RECONCILE), None)
        if self._desk is None or asked is None:
            return False
        self._writer.guard(self._ports)
        if not self._desk.lend(asked, self._writer.lock, self._writer.token(self._ports)):
            return False
        self._borrower = asked
        self.lent += 1
        self._emit("lock", {"lent_to": asked.pid, "purpose": asked.verb})
        return True

    def returned(self) -> bool:
        """Whether nobody has the lock but this watch."""
        borrower = self._borrower
        if borrower is not None and borrower not in self._waiting:
            self._borrower = None
            self._emit("lock", {"returned_by": borrower.pid, "purpose": borrower.verb})
        return self._borrower is None

    # Looking on demand

    def asked_to_look(self) -> bool:
        """Whether somebody waits for a look; what it finds and does is told to them from now on."""
        new = [each for each in self._waiting if each.verb == RECONCILE and each not in self._listening]
        self._listening += new
        return bool(new)

    def looked(self, report: Report | None, fault: ReconcilerError | None) -> None:
        """The look is over: say so to all who asked for it."""
        code = fault.exit_code if fault is not None else report.exit_code if report is not None else 0
        body: JsonMap = {
            "exit_code": code,
            "error": fault.to_json() if fault is not None else None,
            "report": _body(report),
        }
        for asked in self._listening:
            if self._desk is not None and self._desk.tell(asked, body):
                self._desk.dismiss(asked)
        self._listening.clear()

    def close(self) -> None:
        """Be found no more. What is lent stays with the borrower."""
        if self._borrower is not None:
            self._writer.let_go()
        if self._desk is not None:
            self._desk.close()
            self._desk = None


def _body(report: Report | None) -> Json:
    return report.to_json() if report is not None else None
