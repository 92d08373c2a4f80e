"""One look of a watch: plan what `apply` would, hold back what nobody asked for, run the rest.

Nothing is remembered from one look to the next but what saves work: a fleet that stands exactly as it stood needs no
plan. Everything that decides is in the catalog, the source and the world.
"""

from datetime import datetime

from reconciler.app import apply as applying
from reconciler.app import around, events, gate, gate_record, holding, rollout_undo, rollouts, standing, waiting
from reconciler.app import suspended as suspended_
from reconciler.app.ask import Restore
from reconciler.app.desired import Desired, inputs_of
from reconciler.app.lock import Writer
from reconciler.app.request import Emit, PlanFlags, RunFlags, Shown, Source
from reconciler.app.watch import calendar
from reconciler.app.watch import notes as notes_
from reconciler.app.watch.busy import busy
from reconciler.app.watch.resync import Resyncs
from reconciler.engine import unasked as unasked_
from reconciler.engine.handler import Case
from reconciler.engine.heals import guard_of
from reconciler.engine.plan import Planned
from reconciler.engine.rolling import failure, rolled_back
from reconciler.engine.unasked import Rules, Unasked
from reconciler.model.action import Action, Code, Notice, Plan, Verb
from reconciler.model.errors import GuardRefused
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Report, Result
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import NewEvent

AGAIN_S = (0.0, 0.5, 5.0, 60.0)
"""Pauses before the same action is run again, where it settles and is planned again all the same."""


class Seen(NamedTuple):
    """What one look came to."""

    report: Report | None = None
    """None where it stood exactly as before."""
    again_s: float | None = None
    """When to look again, whatever wakes before; None for the timer."""
    busy: bool = False
    """Whether agents are waited for that are in the middle of something: nothing tells when they are done."""


class Rounds:
    """Looks, one after the other. `looks`, `plans` and `runs` count what was done."""

    def __init__(
        self, ports: Ports, writer: Writer, source: Source, how: RunFlags, *, shown: Shown, emit: Emit, quick: bool
    ) -> None:
        self._ports = ports
        self._writer = writer
        self._source = source
        self._how = how
        self._shown = shown
        self._emit = emit
        self._quick = quick
        self._quiet: str | None = None
        self._pinned: tuple[Ref, ...] = ()
        self._waited_for: tuple[Case, ...] = ()
        self.resyncs = Resyncs(ports)
        self._said: set[tuple[str, str]] = set()
        self._repeated: dict[tuple[object, ...], int] = {}
        self.looks = 0
        self.plans = 0
        self.runs = 0

    def look(self, desired: Desired, wanted: PlanFlags, *, full: bool = True) -> Seen:
        """Look once. Where not `full`, a fleet that stands as it did at the last plan is not planned again."""
        self.looks += 1
        if not full and self._quiet is not None and gate.holds(self._ports.places.overlay, self._quiet):
            return Seen()
        self.plans += 1
        reader = self._ports.reader()
        standing.ended(desired, self._ports, self._writer.token(self._ports))
        desired, pinned = standing.standing(desired, reader)
        self._skipped(pinned)
        prepared = self._prepared(desired) if self._quick else None
        planned, refused = self._planned(desired, wanted, reader)
        notes = notes_.read(reader.catalog)
        rules = self._rules(planned, desired, notes, reader)
        self.resyncs.looked(planned.cases)
        self._waited_for = tuple(case for case in planned.cases.values() if case.ref in rules.busy)
        found = unasked_.hold_back(planned, rules)
        rolled = rollouts.watched(found.planned, desired.session.handlers, self._ports, reader)
        rollouts.write(self._ports, self._writer.token(self._ports), rolled.states)
        wakes = min((each for each in (found.wakes, rolled.wakes) if each is not None), default=None)
        found = found._replace(planned=rolled.planned, wakes=wakes)
        for name, text in rolled.failed.items():
            self._emit("condition", failure(name, text))
        if self._roll_back([ref for ref in rolled.rollback if ref not in pinned], reader):
            return Seen(again_s=0.0)
        plan = self._with_orphans(found.planned.plan, desired, refused)
        found = found._replace(planned=found.planned._replace(plan=plan))
        self._tell(found)
        if not plan.running:
            self._keep(notes, found)
            owing = self._owing(desired)
            calm = not plan.actions and not plan.notices and not rolled.active and not owing and not found.known
            self._quiet = prepared if calm else None
            if calm and desired.gated is not None and prepared is not None and not pinned:
                self._record(prepared)
            self._repeated.clear()
            return Seen(Report(plan), self._next_s(found, reader, owing=owing), bool(rules.busy))
        self._quiet = None
        self.runs += 1
        self._shown(plan)
        tried = {uid: attempt.tries for uid, attempt in rules.attempts.items()}
        how = self._how._replace(tries=1, tried=tried, judged=True)
        report = applying.run_plan(found.planned, desired.session, desired, self._ports, self._writer, how, self._emit)
        for outcome in report.outcomes:
            if outcome.result is Result.SETTLED and unasked_.repairs(outcome.action):
                want = found.planned.cases[outcome.action.ref].want
                guard = guard_of(want.spec if want is not None else None)
                notes.heals.note(outcome.action, self._ports.clock.now_utc(), guard)
        self._keep(notes, found)
        soon = self._after(report)
        later = self._next_s(found, self._ports.reader(), owing=self._owing(desired))
        again = min((each for each in (soon, later) if each is not None), default=None)
        return Seen(report, again, bool(rules.busy))

    def still_busy(self) -> bool:
        """Whether all of those who are waited for are still in the middle of something: their screens alone are read,
        the fleet is not planned for it."""
        return len(busy(self._waited_for, self._ports.reader())) == len(self._waited_for)

    # Planning

    def _planned(self, desired: Desired, wanted: PlanFlags, reader: Reader) -> tuple[Planned, GuardRefused | None]:
        """What `apply` would plan; with prune where the project says so and no guard refuses."""
        if policy(desired, "prunePolicy", "report") != "auto":
            return applying.plan_of(desired, wanted, reader), None
        try:
            return applying.plan_of(desired, wanted._replace(prune=True), reader), None
        except GuardRefused as refused:
            return applying.plan_of(desired, wanted, reader), refused

    def _rules(self, planned: Planned, desired: Desired, notes: notes_.Notes, reader: Reader) -> Rules:
        suspended = suspended_.read(reader.catalog)
        now = reader.clock.now_utc()
        closed, opens = calendar.closed(desired, reader.clock, now)
        return Rules(
            now=now,
            rows=policy(desired, "driftPolicy", "report"),
            heals=notes.heals,
            attempts=reader.catalog.attempts(),
            busy=busy(unasked_.disturbed(planned), reader),
            since=waiting.since(reader.catalog, planned),
            suspended=suspended_.covered(suspended, reader.catalog.inventory()),
            all_suspended=suspended_.of_set(suspended, desired.apply_set),
            closed=closed,
            opens=opens,
        )

    def _with_orphans(self, plan: Plan, desired: Desired, refused: GuardRefused | None) -> Plan:
        """Nothing is said of orphans where the project says so; a guard that refused to prune is."""
        if refused is not None and ("guard", refused.code) not in self._said:
            self._emit("diagnostic", {"code": refused.code, "message": refused.message, "hint": refused.hint})
        if policy(desired, "prunePolicy", "report") == "off":
            return plan._replace(notices=tuple(each for each in plan.notices if each.code is not Code.ORPHANED))
        return plan

    # Going back

    def _roll_back(self, refs: list[Ref], reader: Reader) -> bool:
        """Have the next look see the revision before, of sets whose change has failed; whether there is one."""
        pins = standing.read(reader.catalog)
        for ref in refs:
            pin = rollout_undo.mark_of(reader, Restore(ref))
            if pin is not None:
                pins[ref] = pin
                self._emit("condition", rolled_back(str(ref), pin.revision))
        standing.write(self._ports, self._writer.token(self._ports), pins)
        return any(ref in pins for ref in refs)

    def _skipped(self, pinned: tuple[Ref, ...]) -> None:
        """That a set stands at an earlier revision than its source says; once."""
        if pinned != self._pinned:
            self._pinned = pinned
            names: list[Json] = [str(ref) for ref in pinned]
            self._emit("source", {"event": "Skipped" if pinned else "Followed", "rollouts": names})

    # Telling

    def _tell(self, found: Unasked) -> None:
        """Say what is new: drift that is reported, what waits and why, what could be pruned."""
        plan = found.planned.plan
        self._emit("observe", {"resources": plan.declared, "revision": found.planned.view.snapshot.revision})
        now: set[tuple[str, str]] = set()
        fresh: list[tuple[Ref, str, str]] = []
        for notice in plan.notices:
            key = (str(notice.ref), f"{_type_of(notice)} {notice.code.value}")
            if key not in self._said:
                fresh.append((notice.ref, notice.code.value, notice.text))
            now.add(self._once(_type_of(notice), str(notice.ref), notice.to_json()))
        for action in plan.actions:
            if action.verb in (Verb.WAIT, Verb.BLOCKED):
                waits = _waits(action)
                if (str(action.ref), f"wait {waits['code']}") not in self._said:
                    fresh.append(
                        (action.ref, str(waits["code"]), f"{action.verb.value} {waits['verb']}: {waits['text']}")
                    )
                now.add(self._once("wait", str(action.ref), waits))
        self._said = now
        self._note(fresh, {row.ref: row.uid for row in found.planned.view.snapshot.inventory.values()})
        if not plan.empty:
            self._emit("plan", {"planDigest": plan.digest(), "actions": len(plan.actions)})

    def _note(self, fresh: list[tuple[Ref, str, str]], uids: dict[Ref, Uid]) -> None:
        """Keep what was said for those who look later; nothing is written where nothing is new."""
        now = self._ports.clock.now_utc()
        told = [NewEvent(uids[ref], code, text, now.isoformat()) for ref, code, text in fresh if ref in uids]
        if told:
            with self._ports.catalog.transaction(self._writer.token(self._ports)) as tx:
                events.write(tx, told, now)

    def _once(self, kind: str, ref: str, fields: JsonMap) -> tuple[str, str]:
        key = (ref, f"{kind} {fields.get('code')}")
        if key not in self._said:
            self._emit(kind, fields)
        return key

    # Afterwards

    def _keep(self, notes: notes_.Notes, found: Unasked) -> None:
        token = self._writer.token(self._ports)
        notes_.write(self._ports, token, notes)
        waiting.write(self._ports, token, found.planned, found.waits)

    def _after(self, report: Report) -> float | None:
        """What was run is looked at once more; the same thing over and over with longer pauses."""
        settled = {each.action.key() for each in report.outcomes if each.result in (Result.SETTLED, Result.STALE)}
        self._repeated = {key: self._repeated.get(key, -1) + 1 for key in settled}
        if not settled:
            return None
        return AGAIN_S[min(max(self._repeated.values()), len(AGAIN_S) - 1)]

    def _owing(self, desired: Desired) -> bool:
        """Run the hooks that are owed to agents that are Ready; whether somebody is not yet."""
        return around.looked(desired, self._ports, self._writer.token(self._ports), self._emit)

    def _next_s(self, found: Unasked, reader: Reader, *, owing: bool) -> float | None:
        """Seconds until something is due by the calendar: a retry, a gate, the end of an override; or an agent that a
        hook is owed to may be Ready."""
        now = reader.clock.now_utc()
        moments = [] if found.wakes is None else [found.wakes]
        moments += [now + rollouts.AGAIN] if owing else []
        moments += [each.until for held in holding.recorded(reader).values() for each in held if each.until > now]
        moments += [at for each in reader.catalog.attempts().values() if (at := _moment(each.next_at)) and at > now]
        left = [max(0.0, (moment - now).total_seconds()) for moment in moments]
        return min(left, default=None)

    def _prepared(self, desired: Desired) -> str | None:
        if desired.compiled is None or desired.restored:
            return None
        fetched = desired.fetched
        inputs = fetched.inputs(recursive=self._source.recursive) if fetched else inputs_of(self._source)
        return gate_record.prepare(self._ports, desired.compiled, inputs, desired.declared, desired.apply_set)

    def _record(self, text: str) -> None:
        """Let other commands find out as quickly that there is nothing to do; written when it says something new."""
        path = f"{self._ports.places.overlay}/{gate.FILE}"
        if self._ports.files.stamp(path) is None or self._ports.files.read(path) != text.encode():
            self._writer.guard(self._ports)
            gate_record.keep(self._ports, text)


def policy(desired: Desired, field: str, otherwise: str) -> str:
    """A word of the Project, or what holds without it."""
    project = desired.compiled.project if desired.compiled else None
    found = at_path(project.spec, field) if project is not None else None
    return found if isinstance(found, str) else otherwise


def _type_of(notice: Notice) -> str:
    if notice.code is Code.ORPHANED:
        return "prune_candidate"
    return "drift" if notice.code in (Code.DRIFTED, Code.DRIFT_FIGHT) else "condition"


def _waits(action: Action) -> JsonMap:
    reason = action.reasons[0]
    verb = action.held.value if action.held else action.verb.value
    return {"ref": str(action.ref), "verb": verb, "code": reason.code.value, "text": reason.text}


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
