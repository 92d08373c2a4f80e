"""`houmao rollout`: how the change of a set stands, and what an operator may do about it."""

from collections.abc import Callable, Sequence

from reconciler.app import change as changing
from reconciler.app import rollout_history, rollouts, standing
from reconciler.app.ask import Ask, Relaunch, Restore, Said
from reconciler.app.change import made
from reconciler.app.lock import take
from reconciler.app.request import Confirm, Emit, RunFlags, Shown
from reconciler.app.rollout_history import Revision
from reconciler.app.rollout_undo import NoRevision, fixed
from reconciler.app.session import Flags, Session, opened, ref_of
from reconciler.engine import rollout as engine
from reconciler.engine.rolling import of_seen
from reconciler.engine.rollout import State, Strategy
from reconciler.model.errors import GuardRefused, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple

__all__ = ["NoRevision"]
KIND = "InstanceSet"
POLL_S = 0.5
Tell = Callable[[Said], None]


class Member(NamedTuple):
    """One member as it is."""

    ref: Ref
    updated: bool
    """It runs as it was last declared."""
    ready: bool

    def to_json(self) -> JsonMap:
        """`{ref, updated, ready}`."""
        return {"ref": str(self.ref), "updated": self.updated, "ready": self.ready}


class Status(NamedTuple):
    """How the change of one set stands."""

    ref: Ref
    strategy: Strategy
    revision: int | None
    members: tuple[Member, ...]
    state: State
    pin: standing.Pin | None

    @property
    def updated(self) -> int:
        """How many run as they shall."""
        return sum(1 for member in self.members if member.updated)

    @property
    def ready(self) -> int:
        """How many are Ready."""
        return sum(1 for member in self.members if member.ready)

    @property
    def word(self) -> str:
        """`Paused`, `Failed`, `Complete` or `Progressing`."""
        if self.state.paused:
            return "Paused"
        if self.state.failed:
            return "Failed"
        return "Complete" if all(each.updated and each.ready for each in self.members) else "Progressing"

    @property
    def message(self) -> str:
        """One sentence of it."""
        if self.state.paused:
            return f"paused ({self.state.paused}); {self.updated} of {len(self.members)} are changed"
        if self.state.failed:
            return f"{self.state.failed}; {self.updated} of {len(self.members)} are changed"
        waits = [each for each in self.members if each.updated and not each.ready]
        if self.word == "Complete":
            return "every member runs as declared and is Ready"
        if self.updated == len(self.members):
            return f"all are changed; {len(waits)} of them are not Ready yet"
        return f"{self.updated} of {len(self.members)} are changed, {self.ready} are Ready"

    def to_json(self) -> JsonMap:
        """`{ref, status, message, strategy, revision, total, updated, ready, paused, failed, undone, members}`."""
        members: list[Json] = [member.to_json() for member in self.members]
        undone: JsonMap | None = None
        if self.pin is not None:
            undone = {"revision": self.pin.revision, "by": self.pin.by, "at": self.pin.at}
        return {
            "ref": str(self.ref),
            "status": self.word,
            "message": self.message,
            "strategy": {"type": self.strategy.type, "maxUnavailable": self.strategy.unavailable},
            "revision": self.revision,
            "total": len(self.members),
            "updated": self.updated,
            "ready": self.ready,
            "paused": self.state.paused or None,
            "failed": self.state.failed or None,
            "undone": undone,
            "members": members,
        }


class History(NamedTuple):
    """The revisions of one set, and which of them it is now."""

    ref: Ref
    revisions: tuple[Revision, ...]
    current: int | None

    def to_json(self) -> JsonMap:
        """`{ref, current, revisions}`."""
        listed: list[Json] = [each.to_json() for each in self.revisions]
        return {"ref": str(self.ref), "current": self.current, "revisions": listed}


def named(session: Session, text: str) -> Ref:
    """`crew` or `instanceset/crew` as the ref of a set that is recorded."""
    try:
        ref = ref_of(text, session.handlers) if "/" in text else Ref(KIND, text)
    except ValueError as error:
        raise UsageFault(str(error), hint="write instanceset/NAME", code="usage.names") from error
    if ref.kind != KIND:
        raise UsageFault(f"{ref} has no rollouts", hint="name an InstanceSet", code="usage.kind")
    if not any(row.ref == ref for row in session.reader.catalog.inventory()):
        from reconciler.app.intent import not_recorded

        raise not_recorded(ref)
    return ref


def status(flags: Flags, text: str) -> Status:
    """Look at the members, beside what was last declared of them; writes nothing."""
    with opened(flags) as session:
        ref = named(session, text)
        reader = session.reader
        found = made(session, Ask("rollout status", again=(ref,)).at(reader.clock.now_utc()), reader)
        view, cases = found.planned.view, found.planned.cases
        running = [one for one in view.children(ref) if not one.derived and one.spec.get("state") == "Running"]
        members = sorted((one.ref for one in running if one.ref in cases), key=engine.by_ordinal)
        planned = {action.ref for action in found.planned.plan.actions if action.runs or action.held is not None}
        ready = of_seen([cases[member] for member in members], session.handlers, reader)
        resource = view.get(ref)
        strategy = resource.spec.get("strategy") if resource is not None else None
        state = rollouts.read(reader.catalog).get(str(ref), State())
        return Status(
            ref,
            engine.strategy_of(strategy, len(members)),
            _current(session, ref, rollout_history.revisions(reader.catalog, ref)),
            tuple(Member(member, member not in planned, ready.get(member, False)) for member in members),
            state,
            standing.read(reader.catalog).get(ref),
        )


def awaited(flags: Flags, text: str, timeout_s: float) -> Status:
    """Look until it is complete or has failed, or the time is over."""
    with opened(flags) as session:
        clock = session.reader.clock
        deadline = clock.monotonic() + timeout_s
        while True:
            found = status(flags, text)
            if found.word in ("Complete", "Failed") or clock.monotonic() >= deadline:
                return found
            clock.sleep(POLL_S)


def history(flags: Flags, text: str) -> History:
    """Every revision that is kept, oldest first."""
    with opened(flags) as session:
        ref = named(session, text)
        found = rollout_history.revisions(session.reader.catalog, ref)
        return History(ref, found, _current(session, ref, found))


def _current(session: Session, ref: Ref, found: Sequence[Revision]) -> int | None:
    """The revision that is recorded now: the newest with the same digests."""
    rows = {row.ref: row.digest for row in session.reader.catalog.inventory()}
    same = (each.number for each in reversed(found) if all(rows.get(at) == one for at, one in each.digests.items()))
    return next(same, None)


def pause(flags: Flags, text: str, how: RunFlags, emit: Emit) -> Status:
    """Nobody of the set is disturbed until `resume`, whoever applies or watches."""

    def paused(state: State, by: str, at: str) -> State:
        return state if state.paused else state._replace(paused=f"by {by}, {at[:19]}Z")

    _keep(flags, text, how, emit, paused)
    return status(flags, text)


def resume(flags: Flags, text: str, how: RunFlags, *, tell: Tell, confirm: Confirm, shown: Shown, emit: Emit) -> Report:
    """Go on with what is paused or has failed, and carry it to its end."""

    def on(state: State, by: str, at: str) -> State:
        del by, at
        return state._replace(paused="", failed="", moved="")

    ref = _keep(flags, text, how, emit, on)
    ask = Ask("rollout resume", again=(ref,))
    return changing.change(flags, ask, how, tell=tell, confirm=confirm, shown=shown, emit=emit)


def _keep(flags: Flags, text: str, how: RunFlags, emit: Emit, change: Callable[[State, str, str], State]) -> Ref:
    """Change what is kept of one rollout, under the lock."""
    with opened(flags) as session:
        ref = named(session, text)
        before = rollouts.read(session.reader.catalog).get(str(ref), State())
        by = session.reader.environ.get("USER") or "unknown"
        at = session.reader.clock.now_utc().isoformat()
        if change(before, by, at) == before:
            return ref
        ports = session.world.ports(session.settings)
        try:
            wait = 30.0 if how.lock_timeout_s is None else how.lock_timeout_s
            writer = take(ports, purpose="rollout", wait_s=wait, emit=emit, stopping=how.stopping)
            try:
                states = rollouts.read(ports.catalog)
                states[str(ref)] = change(states.get(str(ref), State()), by, at)
                rollouts.write(ports, writer.token(ports), states)
            finally:
                writer.release()
        finally:
            ports.catalog.close()
        return ref


def asked_restart(session: Session, text: str, request: str) -> Ask:
    """Every member anew, once for this request, as the strategy says (R-ROL-4)."""
    ref = named(session, text)
    _not_paused(session, ref)
    rows = {row.ref: row for row in session.reader.catalog.inventory()}
    members = [row.ref for row in rows.values() if row.owner == rows[ref].uid and row.live.get("state") == "running"]
    refs = tuple(sorted(members, key=engine.by_ordinal))
    return Ask("rollout restart", again=(ref,), relaunch=Relaunch(request, refs, rolling=True))


def asked_undo(session: Session, text: str, revision: int | None) -> Ask:
    """Back to a revision, or to the one before (R-HIS-2)."""
    ref = named(session, text)
    _not_paused(session, ref)
    return Ask("rollout undo", restore=fixed(session.reader, Restore(ref, revision)))


def _not_paused(session: Session, ref: Ref) -> None:
    state = rollouts.read(session.reader.catalog).get(str(ref), State())
    if state.paused:
        raise GuardRefused(
            f"the rollout of {ref} is paused ({state.paused})",
            hint=f"`houmao rollout resume {ref.kind.lower()}/{ref.name}` goes on with it",
            code="guard.paused",
            ref=str(ref),
        )
