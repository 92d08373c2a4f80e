"""Bad luck to order: stop, fail or hang a run at a named fault point, or at its n-th write to a port.

Receives a Fault; hands on a probe for the runner and a watch over the ports. The watch is also the proof that nothing
durable is written outside a step (R-TST-2), and what makes a crash in this process as final as `kill -9`: after it,
whatever still runs of that life can write no more.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import cast

from reconciler.app import gate
from reconciler.model.errors import ActionFailed, ErrorClass, Unreachable
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Catalog, Transaction
from reconciler.ports.files import Files
from reconciler.ports.gateway import Gateways
from reconciler.ports.process import Process
from reconciler.ports.registry import Registry
from reconciler.ports.tmux import Tmux

HANG_S = 30.0

WRITES = {
    "files": (
        "write",
        "write_tree",
        "replace_entries",
        "replace_tree",
        "link",
        "move",
        "remove",
        "make_dir",
        "make_private",
    ),
    "registry": ("publish", "remove"),
    "tmux": ("act",),
    "process": ("end",),
    "gateways": ("start",),
}
"""Everything by which a port changes the world; the catalog's transactions are told apart by what they hold."""

BOOK_KEEPING = frozenset({"put_run", "put_bundle", "put_meta", "put_attempt", "put_events", "note"})
"""What a run may record about itself outside a step: its history row and why something failed."""


class Crashed(BaseException):
    """The run is dead: not an Exception, so nobody in between can catch it."""


class WroteOutsideStep(BaseException):
    """A durable write happened where no fault point is (R-TST-2)."""


class Kind(StrEnum):
    """What happens at a fault point."""

    CRASH = "crash"
    """The program is gone."""
    ERROR = "error"
    """An error that no retry helps."""
    HANG = "hang"
    """No answer within the time-out, each time it is tried: whether it was done is not known."""
    HANG_ONCE = "hang-once"
    """No answer the first time."""


class Fault(NamedTuple):
    """One piece of bad luck: at the `nth` passing of a point, before or after its write."""

    point: str
    phase: str
    kind: Kind
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.kind} {self.phase} {self.point}"


class Watch:
    """One life of the program: what it passed, what it wrote, and whether it still lives.

    `probe` goes to the runner, `over` around the ports. `points` holds every (point, phase) passed, in order; `writes`
    every write as (port, method, point or empty). `write_fault` stops it at its n-th write: (n, before or after, kind).
    """

    def __init__(
        self,
        fault: Fault | None = None,
        *,
        write_fault: tuple[int, str, Kind] | None = None,
        on_hang: Callable[[float], None] | None = None,
        on_point: Callable[[str, str, Ref], None] | None = None,
    ) -> None:
        self.fault = fault
        self.write_fault = write_fault
        self.dead = False
        self.hit = False
        self.points: list[tuple[str, str]] = []
        self.writes: list[tuple[str, str, str]] = []
        self._on_hang = on_hang
        self._on_point = on_point
        self._passed: Counter[tuple[str, str]] = Counter()
        self._running: dict[tuple[str, Ref], int] = {}
        self._turn = threading.RLock()

    def probe(self, point: str, phase: str, ref: Ref) -> None:
        """Called by the runner around each step."""
        with self._turn:
            self._alive()
            self.points.append((point, phase))
            self._passed[point, phase] += 1
            if phase == "before":
                # A run that failed in a step never comes to its end; the next step of the same resource ends it.
                for key in [key for key in self._running if key[1] == ref]:
                    del self._running[key]
                self._running[point, ref] = 1
            count = self._passed[point, phase]
        if self._on_point is not None:
            self._on_point(point, phase, ref)
        fault = self.fault
        if fault is not None and (point, phase) == (fault.point, fault.phase):
            again = fault.kind is Kind.HANG and count > fault.nth
            if count == fault.nth or again:
                self._strike(fault.kind, point)
        if phase == "after":
            with self._turn:
                self._running.pop((point, ref), None)

    def writing(self, port: str, method: str) -> None:
        """Called before each write."""
        with self._turn:
            self._alive()
            where = next((point for point, _ in self._running), "")
            if not where:
                raise WroteOutsideStep(f"{port}.{method} was called outside of every step")
            self.writes.append((port, method, where))
            count = len(self.writes)
        if self.write_fault is not None and self.write_fault[:2] == (count, "before"):
            self._strike(self.write_fault[2], f"{port}.{method}")

    def wrote(self, port: str, method: str, count: int) -> None:
        """Called after each write."""
        if self.write_fault is not None and self.write_fault[:2] == (count, "after"):
            self._strike(self.write_fault[2], f"{port}.{method}")

    def over(self, ports: Ports) -> Ports:
        """The same ports, watched."""
        return ports._replace(
            catalog=cast(Catalog, _WatchedCatalog(ports.catalog, self)),
            registry=cast(Registry, _Watched(ports.registry, "registry", self)),
            tmux=cast(Tmux, _Watched(ports.tmux, "tmux", self)),
            process=cast(Process, _Watched(ports.process, "process", self)),
            files=cast(Files, _Watched(ports.files, "files", self)),
            gateways=cast(Gateways, _Watched(ports.gateways, "gateways", self)),
        )

    def in_step(self) -> bool:
        """Whether some step runs now."""
        with self._turn:
            return bool(self._running)

    def alive(self) -> None:
        """Raise Crashed when this life is over."""
        with self._turn:
            self._alive()

    def _alive(self) -> None:
        if self.dead:
            raise Crashed("this run is dead already")

    def _strike(self, kind: Kind, where: str) -> None:
        self.hit = True
        match kind:
            case Kind.CRASH:
                with self._turn:
                    self.dead = True
                raise Crashed(where)
            case Kind.ERROR:
                raise ActionFailed(f"ordered failure at {where}", hint="apply again", code="test.ordered")
            case Kind.HANG | Kind.HANG_ONCE:
                if self._on_hang is not None:
                    self._on_hang(HANG_S)
                error = Unreachable(f"no answer at {where} within {HANG_S:.0f} s", hint="apply again", code="test.hung")
                error.error_class = ErrorClass.AMBIGUOUS
                raise error


class _Watched:
    """A port whose writes are announced; everything else passes."""

    def __init__(self, port: object, name: str, watch: Watch) -> None:
        self._port = port
        self._name = name
        self._watch = watch

    def __getattr__(self, name: str) -> object:
        found = getattr(self._port, name)
        if name not in WRITES[self._name]:
            return found

        def call(*args: object, **named: object) -> object:
            if _changes_nothing(name, args):
                self._watch.alive()
                return found(*args, **named)
            self._watch.writing(self._name, name)
            count = len(self._watch.writes)
            answer = found(*args, **named)
            self._watch.wrote(self._name, name, count)
            return answer

        return call


def _changes_nothing(name: str, args: Sequence[object]) -> bool:
    """An empty batch for tmux; the gate's record, which is a cache: without it, plans are made in full."""
    if name == "act":
        return len(args) > 1 and not args[1]
    return bool(args) and str(args[0]).rpartition("/")[2] == gate.FILE


class _WatchedCatalog:
    """The catalog, each of whose transactions must belong to a step unless it only keeps the books."""

    def __init__(self, catalog: Catalog, watch: Watch) -> None:
        self._catalog = catalog
        self._watch = watch

    def __getattr__(self, name: str) -> object:
        return getattr(self._catalog, name)

    def close(self) -> None:
        """A dead program has no threads: let those that the run left behind find out before their catalog is gone."""
        for thread in threading.enumerate():
            if thread.name.startswith("step") and thread is not threading.current_thread():
                thread.join()
        self._catalog.close()

    def transaction(self, token: int) -> AbstractContextManager[Transaction]:
        return self._transaction(token)

    @contextmanager
    def _transaction(self, token: int) -> Iterator[Transaction]:
        inside = self._watch.in_step()
        if inside:
            self._watch.writing("catalog", "transaction")
        self._watch.alive()
        count = len(self._watch.writes)
        with self._catalog.transaction(token) as tx:
            yield tx if inside else cast(Transaction, _BookKeeping(tx))
        if inside:
            self._watch.wrote("catalog", "transaction", count)


class _BookKeeping:
    """A transaction outside of every step."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def __getattr__(self, name: str) -> object:
        found = getattr(self._tx, name)
        if callable(found) and name not in BOOK_KEEPING:
            raise WroteOutsideStep(f"catalog transaction: {name} was called outside of every step")
        return found
