"""Lead an overlay: hold its lock, sleep on the wakers, look, and look again (R §13).

A waker puts a key into the queue and nothing more; whatever was due is answered by one look at everything. Every look
starts from the catalog, the source and the world, so a watch that is killed and started again goes on as it would have.
"""

from collections.abc import Callable

from reconciler.app import overlay as overlay_
from reconciler.app.desired import Desired
from reconciler.app.lock import Writer, take
from reconciler.app.request import Emit, PlanFlags, RunFlags, Shown, Source
from reconciler.app.session import Flags, Session, opened
from reconciler.app.watch.rounds import Rounds, Seen
from reconciler.app.watch.serving import Serving
from reconciler.app.watch.source import Sources
from reconciler.app.wiring import System
from reconciler.engine import retry
from reconciler.engine.loop import Key, Priority, Queue, timer_s
from reconciler.model.errors import ReconcilerError, TokenLost
from reconciler.model.outcome import Report
from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.wakers import Followed, Waker, Wakers, Woken

FLEET, SOURCE, TIMER, LATER, ASKED = Key("fleet"), Key("source"), Key("timer"), Key("later"), Key("asked")
BUSY, FETCH, RESYNC = Key("busy"), Key("fetch"), Key("resync")
BUSY_S = 2.0
"""How soon a busy agent is looked at again: nothing tells that a turn is over."""
REGISTRY_S = 0.2
"""Records come in bursts, most of them our own."""
MakeWakers = Callable[[Ports], Wakers]


class WatchFlags(NamedTuple):
    """How to watch: once or until it is told to stop, the slowest pace of looking, and that of asking a remote."""

    once: bool = False
    period_s: float = 60.0
    poll_s: float = 60.0
    queued: Callable[[tuple[float, ...]], None] | None = None
    """Told as a look begins how long each thing that is looked at was due."""


class Ended(NamedTuple):
    """How a watch ended: the last look's report, and what was wrong with the source, if anything was."""

    report: Report | None
    fault: ReconcilerError | None
    interrupted: int | None

    @property
    def exit_code(self) -> int:
        """Of a signal; else of the source; else of the last look."""
        if self.interrupted is not None:
            return 128 + self.interrupted
        if self.fault is not None:
            return self.fault.exit_code
        return self.report.exit_code if self.report is not None else 0


def watch(
    flags: Flags,
    source: Source,
    wanted: PlanFlags,
    how: RunFlags,
    watching: WatchFlags,
    *,
    wakers: MakeWakers,
    shown: Shown,
    emit: Emit,
) -> Ended:
    """Keep the overlay as declared until told to stop; raises LockHeld where another one writes."""
    with opened(flags) as session:
        if session.overlay_unmade:
            overlay_.create(session.settings, session.world)
            emit("source", {"event": "OverlayCreated", "overlay": session.settings.overlay.root})
            settings = session.settings._replace(overlay=session.settings.overlay._replace(exists=True))
            session = session._replace(settings=settings, reader=session.world.reader(settings))
        ports = session.world.ports(session.settings)
        # One connection, and one copy of what it remembers.
        session.reader.catalog.close()
        session = session._replace(reader=ports.reader())
        try:
            wait_s = how.lock_timeout_s or 0.0
            writer = take(ports, purpose="watch", wait_s=wait_s, emit=emit, stopping=how.stopping, loan_s=None)
            try:
                emit("lock", {"held": True, "token": writer.token(ports)})
                return _Watch(session, ports, writer, source, wanted, how, watching, wakers, shown, emit).run()
            finally:
                writer.release()
        finally:
            ports.catalog.close()


class _Watch:
    """One watch, from its lock to its end."""

    def __init__(
        self,
        session: Session,
        ports: Ports,
        writer: Writer,
        source: Source,
        wanted: PlanFlags,
        how: RunFlags,
        watching: WatchFlags,
        wakers: MakeWakers,
        shown: Shown,
        emit: Emit,
    ) -> None:
        self._session = session
        self._ports = ports
        self._writer = writer
        self._wanted = wanted
        self._how = how
        self._watching = watching
        self._make_wakers = wakers
        self._serving = Serving(ports, writer, emit)
        self._emit = emit = self._serving.emit
        self._sources = Sources(session, source, wanted, emit, poll_s=watching.poll_s)
        quick = isinstance(session.world, System)
        self._rounds = Rounds(ports, writer, source, how, shown=shown, emit=emit, quick=quick)
        self._queue = Queue(ports.clock)
        self._revision = -1
        self._ticks = 0
        self._failures = 0
        self._report: Report | None = None
        self._fault: ReconcilerError | None = None

    def run(self) -> Ended:
        """Look, and again whenever something may have changed."""
        if self._watching.once:
            self._sources.fetch(wait=True)
            self._sources.compile()
            if self._sources.desired is not None:
                self._round(self._sources.desired, full=True)
            return self._ended()
        wakers = self._make_wakers(self._ports)
        self._serving.receive()
        try:
            # Listened to before it is read: what is saved meanwhile is heard.
            wakers.follow(self._followed())
            self._sources.compile()
            self._tick()
            self._queue.add(FLEET, Priority.LIVENESS)
            if self._sources.remote is not None:
                self._queue.add(FETCH, Priority.SOURCE)
            wakers.follow(self._followed())
            self._rest(wakers)
            while self._how.stopping() is None:
                for woken in wakers.wait(self._sleep_s()):
                    self._woken(woken)
                if self._how.stopping() is None:
                    self._work(wakers)
        finally:
            wakers.close()
            self._serving.close()
        return self._ended()

    # Waking

    def _woken(self, woken: Woken) -> None:
        if woken.kind == Waker.SOURCE:
            self._sources.heard(woken)
        elif woken.kind == Waker.CATALOG:
            if self._ports.catalog.revision() != self._revision:
                self._queue.add(FLEET, Priority.SOURCE)
        elif woken.kind == Waker.REGISTRY:
            self._queue.add(FLEET, Priority.LIVENESS, REGISTRY_S)
        elif woken.kind in (Waker.TMUX, Waker.PROCESS):
            self._queue.add(FLEET, Priority.LIVENESS)
        elif woken.kind == Waker.REQUEST and self._serving.hear():
            self._queue.add(ASKED, Priority.REQUEST)

    def _sleep_s(self) -> float | None:
        settles = self._sources.settling.ready_in_s(locked=self._sources.locked)
        found = [each for each in (self._queue.due_in_s(), settles) if each is not None]
        return min(found, default=None)

    def _tick(self) -> None:
        self._ticks += 1
        pause = timer_s(self._ports.overlay_id, self._ticks, self._watching.period_s)
        self._queue.add(TIMER, Priority.TIMER, pause)

    # Working

    def _work(self, wakers: Wakers) -> None:
        """Whatever is due, in one look: it sees everything, whoever woke it."""
        due: list[Key] = []
        plans = self._rounds.plans
        waited: list[float] = []
        while (key := self._queue.take()) is not None:
            due.append(key)
            waited.append(self._queue.waited_s)
        if due and self._watching.queued is not None:
            self._watching.queued(tuple(waited))
        if due == [BUSY] and self._rounds.still_busy():
            self._queue.done(BUSY)
            self._queue.add(BUSY, Priority.TIMER, BUSY_S)
            return
        news = FETCH in due and self._fetch()
        if due == [FETCH] and not news:
            self._queue.done(FETCH)
            return
        full = LATER in due or BUSY in due or news
        if RESYNC in due and not full:
            full = self._resynced()
            if not full and due == [RESYNC]:
                self._queue.done(RESYNC)
                self._resync()
                return
        if ASKED in due:
            full = self._lend(wakers) or full
            if self._how.stopping() is not None:
                return  # the lock may still be lent: nothing more is done here
            if self._serving.asked_to_look():
                full = True
                if self._sources.remote is not None:
                    self._sources.remote.ask()
                    self._queue.add(FETCH, Priority.REQUEST)
                else:
                    due.append(SOURCE)
        if TIMER in due:
            self._tick()
            if not self._sources.settling.pending and self._sources.moved():
                due.append(SOURCE)
        settled = self._sources.settling.ready_in_s(locked=self._sources.locked) == 0
        if settled or SOURCE in due or news:
            full = self._sources.compile(lambda: self._overtaken(wakers)) or full
            due.append(SOURCE)
        if due and self._sources.desired is not None and not self._sources.settling.pending:
            self._round(self._sources.desired, full=full)
        elif due and self._sources.settling.pending:
            self._queue.add(FLEET, Priority.LIVENESS, 0.02)  # a compile was overtaken; nothing due is forgotten
        if due and not self._sources.settling.pending and not self._awaited:
            self._serving.looked(self._report, self._fault or self._sources.fault)
        for key in due:
            self._queue.done(key)
        if due:
            wakers.follow(self._followed())
        if self._rounds.plans != plans:
            self._rest(wakers)
        if ASKED in due and self._serving.hear():
            self._queue.add(ASKED, Priority.REQUEST)  # one at a time, and a look after each

    @property
    def _awaited(self) -> bool:
        """Whether somebody waits for what the remote has now."""
        return self._sources.remote is not None and self._sources.remote.awaited

    def _fetch(self) -> bool:
        """Go on with asking the remote; whether there is a reason to look."""
        remote = self._sources.remote
        if remote is None:
            return False
        awaited = remote.awaited
        came = self._sources.fetch()
        self._queue.add(FETCH, Priority.SOURCE, remote.next_s())
        return came or (awaited and not remote.awaited)

    def _resynced(self) -> bool:
        """Whether one of those that are due by their own pace stands otherwise; what cannot be told is looked at."""
        if self._sources.desired is None:
            return False
        try:
            return self._rounds.resyncs.moved(self._sources.desired.session.handlers)
        except ReconcilerError:
            return True

    def _resync(self) -> None:
        due = self._rounds.resyncs.due_in_s()
        self._queue.drop(RESYNC)
        if due is not None:
            self._queue.add(RESYNC, Priority.TIMER, due)

    def _rest(self, wakers: Wakers) -> None:
        self._ports.catalog.rest()
        wakers.rest()

    def _lend(self, wakers: Wakers) -> bool:
        """Lend the lock to whoever waits first, and sleep until it is back; whether it was lent."""
        if not self._serving.lend():
            return False
        while not self._serving.returned() and self._how.stopping() is None:
            for woken in wakers.wait(None):
                self._woken(woken)
        return True

    def _overtaken(self, wakers: Wakers) -> bool:
        for woken in wakers.wait(0):
            self._woken(woken)
        return self._sources.settling.pending

    def _round(self, desired: Desired, *, full: bool) -> None:
        """One look. What fails as a whole is tried again with ever longer pauses; a lost token ends the watch."""
        again: float | None
        try:
            self._writer.guard(self._ports)
            seen: Seen = self._rounds.look(desired, self._wanted, full=full)
            self._failures = 0
            self._fault = None
            self._report = seen.report or self._report
            again = seen.again_s
            self._queue.drop(BUSY)
            if seen.busy:
                self._queue.add(BUSY, Priority.TIMER, BUSY_S)
        except TokenLost:
            raise
        except ReconcilerError as error:
            if self._watching.once:
                raise
            self._failures += 1
            self._fault = error
            again = max(
                0.2, retry.delay_s(Uid(self._ports.overlay_id), self._failures, error.error_class, retry.Policy())
            )
            self._emit(
                "diagnostic", {"code": error.code, "message": error.message, "hint": error.hint, "again_s": again}
            )
        self._revision = self._ports.catalog.revision()
        self._resync()
        self._queue.drop(LATER)
        if again is not None:
            self._queue.add(LATER, Priority.TIMER, again)

    def _followed(self) -> Followed:
        rows = [row for row in self._ports.catalog.inventory() if row.live.get("state") == "running"]
        registry = f"{self._ports.places.registry}/live_agents"
        agents = {f"{registry}/{row.live['agent_id']}" for row in rows if row.live.get("agent_id")}
        return Followed(
            sources=self._sources.directories(),
            registry=frozenset({registry, *agents}),
            catalog=self._ports.places.catalog,
            processes=frozenset(
                (int(row.live["pid"]), int(row.live["ticks"]))
                for row in rows
                if row.live.get("pid", "").isdigit() and row.live.get("ticks", "").isdigit()
            ),
            desk=self._serving.descriptor,
        )

    def _ended(self) -> Ended:
        return Ended(self._report, self._sources.fault, self._how.stopping())
