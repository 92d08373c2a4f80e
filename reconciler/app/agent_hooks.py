"""Commands around the life of one agent: before its running program is ended, and once it is Ready (R-EXT-2).

`preStop` is a step of the action that ends it, before any other. `postReady` cannot be one, for Ready is seen and never
done: that it is owed settles with the start, and whoever sees the agent Ready first runs it: the apply, or the watch,
or a later one of them. So it is run at least once; its key is that of the process that was started.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from reconciler.app import events, hooks
from reconciler.app.desired import Desired
from reconciler.app.hooks import HookFailed, Hooks
from reconciler.app.ready import READY_POLL_S, not_ready
from reconciler.app.request import Emit, RunFlags
from reconciler.engine.gating import ends_a_process
from reconciler.engine.handler import Case, Context, Seen, Step
from reconciler.engine.observe import from_bundle
from reconciler.engine.plan import Planned
from reconciler.model.action import Action, Verb
from reconciler.model.errors import ErrorClass
from reconciler.model.json import Json, JsonMap, canonical, parse_map
from reconciler.model.names import META_POST_READY
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import CatalogReader, InventoryRow, NewEvent, Transaction

PRE_STOP, POST_READY = "preStop", "postReady"
ENDING = frozenset({Verb.STOP, Verb.REMOVE, Verb.RELAUNCH, Verb.REPLACE})
STARTING = frozenset({Verb.CREATE, Verb.RELAUNCH, Verb.REPLACE, Verb.UPDATE, Verb.RENAME})
"""What starts an agent, or finishes the books of a start that was interrupted."""
PATIENCE = timedelta(minutes=10)
"""So long after its start an agent is waited for to become Ready."""
Declared = tuple[Ref, int, JsonMap]
"""Who declares a hook, the how manieth it is there, and the hook."""


class StopRefused(HookFailed):
    """A `preStop` that failed: what runs is left to run, and it is asked again later."""

    error_class = ErrorClass.WAITING


class Owed(NamedTuple):
    """What is to be run once one process of an agent is Ready."""

    uid: Uid
    process: str
    since: datetime
    verb: str
    run: str
    apply_set: str
    declared: tuple[Declared, ...]

    def to_json(self) -> JsonMap:
        """As kept: whoever runs it need not know what is declared."""
        every: list[Json] = [[str(ref), index, body] for ref, index, body in self.declared]
        return {
            "uid": self.uid,
            "process": self.process,
            "since": self.since.isoformat(),
            "verb": self.verb,
            "run": self.run,
            "applySet": self.apply_set,
            "hooks": every,
        }


class AgentHooks:
    """Puts the hooks of agents into the steps of one run."""

    def __init__(self, planned: Planned, desired: Desired, ports: Ports, run: str, told: Hooks, emit: Emit) -> None:
        self._view = planned.view
        self._apply_set = desired.apply_set
        self._ports = ports
        self._run = run
        self._told = told
        self._emit = emit
        self._done: set[Ref] = set()
        self._projects = _projects(desired, ports.catalog, planned)

    def steps(self, action: Action, case: Case, steps: Sequence[Step]) -> Sequence[Step]:
        """The same steps, with what is to be run before an end and owed after a start."""
        if action.ref.kind != "Instance":
            return steps
        before = self._declared(action.ref, case, PRE_STOP) if _ends(action, case) else ()
        after = self._declared(action.ref, case, POST_READY) if action.verb in STARTING else ()
        first = Step(
            "pre-stop", run=partial(self._pre_stop, before), done=partial(self._was_run, action.ref), slow=True
        )
        last = Step("owe-post-ready", commit=partial(self._owe, after))
        return (*((first,) if before else ()), *steps, *((last,) if after else ()))

    def _declared(self, ref: Ref, case: Case, name: str) -> tuple[Declared, ...]:
        """Its own, then those of its Project."""
        mine = case.want or self._view.get(ref)
        project = self._projects.get(case.row.apply_set if case.row else self._apply_set)
        project = project or self._projects.get(self._apply_set)
        every = [each for each in (mine, project) if each is not None]
        return tuple((each.ref, at, body) for each in every for at, body in enumerate(hooks.declared(each, name)))

    def _was_run(self, ref: Ref, seen: Seen, context: Context) -> bool:
        """Of an action that is tried again in this run."""
        del seen, context
        return ref in self._done

    def _pre_stop(self, declared: Sequence[Declared], ports: Ports, context: Context) -> None:
        """Raises StopRefused, and then the agent is not touched."""
        ref, process = context.case.ref, _process(context.live)
        for by, index, body in declared:
            key = f"{context.uid}/{process}/{PRE_STOP}/{by}/{index}"
            verb = context.action.verb.value
            about = _about(ref, key, context.run, self._apply_set, verb, context.live.get("session_name", ""))
            ran = hooks.run(ports, PRE_STOP, body, about)
            self._told.told.append(ran.told(ref))
            if not ran.why or ran.effect == "Ignore":
                continue
            if ran.effect == "Fail":
                raise StopRefused(
                    f"hook {PRE_STOP} `{ran.command}` of {by} failed, {ref} goes on running: {ran.why}",
                    hint=ran.output or "run it by hand; onError: Warn ends the agent all the same",
                )
            self._emit("diagnostic", {"ref": str(ref), **ran.diagnostic(f" of {ref}")})
        self._done.add(ref)

    def _owe(self, declared: tuple[Declared, ...], tx: Transaction, context: Context) -> None:
        before = context.case.row.live if context.case.row is not None else {}
        if not context.live.get("pid") or _process(context.live) == _process(before):
            return  # nothing was started
        now = self._ports.clock.now_utc()
        owed = Owed(
            context.uid,
            _process(context.live),
            now,
            context.action.verb.value,
            self._run,
            self._apply_set,
            declared,
        )
        _put(tx, {**read(self._ports.catalog), context.case.ref: owed})


def read(catalog: CatalogReader) -> dict[Ref, Owed]:
    """What is owed to whom; nothing where what stands there cannot be read."""
    text = catalog.meta(META_POST_READY)
    try:
        found = parse_map(text) if text else {}
        return {Ref.parse(name): _of(each) for name, each in found.items() if isinstance(each, dict)}
    except (KeyError, ValueError):
        return {}


def finish(
    planned: Planned, desired: Desired, report: Report, ports: Ports, token: int, how: RunFlags, emit: Emit
) -> tuple[Report, HookFailed | None]:
    """Of an apply: wait for those it started and run what is owed, as long as it may take; and the first failure."""
    deadline = ports.clock.monotonic() + how.timeout_s
    failed: HookFailed | None = None
    while True:
        left, fault = look(desired, ports, token, emit, only=planned.cases.keys())
        failed = failed or fault
        if not left or how.wait is False or how.stopping() is not None or report.exit_code not in (0, 3):
            return report, failed
        if ports.clock.monotonic() >= deadline:
            return report._replace(not_ready=tuple(str(ref) for ref in sorted(left)), timed_out=True), failed
        ports.clock.sleep(READY_POLL_S)


def look(
    desired: Desired, ports: Ports, token: int, emit: Emit, only: Iterable[Ref] | None = None
) -> tuple[frozenset[Ref], HookFailed | None]:
    """Run what is owed to those who are Ready now; who is left, and the first failure that counts."""
    owed = read(ports.catalog)
    chosen = owed if only is None else {ref: owed[ref] for ref in owed.keys() & set(only)}
    if not chosen:
        return frozenset(), None
    reader, now = ports.reader(), ports.clock.now_utc()
    rows = {row.ref: row for row in ports.catalog.inventory() if row.ref in chosen}
    alive = {ref for ref, each in chosen.items() if ref in rows and _process(rows[ref].live) == each.process}
    waiting: set[Ref] = set()
    if alive:
        bundles = ports.catalog.bundles({rows[ref].digest for ref in alive})
        last = {ref: from_bundle(ref, rows[ref], bundles[rows[ref].digest]) for ref in alive}
        waiting = not_ready(alive, last, desired, reader)
    failed: HookFailed | None = None
    over: set[Ref] = set(chosen) - alive
    told: list[NewEvent] = []
    for ref in sorted(alive):
        if ref in waiting and now - chosen[ref].since < PATIENCE:
            continue
        over.add(ref)
        if ref in waiting:
            text = f"{ref} did not become Ready within 10m: its {POST_READY} hooks are not run"
            emit("diagnostic", {"ref": str(ref), "code": HookFailed.code, "message": text, "hint": ""})
            told.append(NewEvent(chosen[ref].uid, "PostReady", text, now.isoformat()))
            continue
        fault = _post_ready(ref, chosen[ref], rows[ref], ports, emit, told)
        failed = failed or fault
    if over:
        with ports.catalog.transaction(token) as tx:
            _put(tx, {ref: each for ref, each in read(ports.catalog).items() if ref not in over})
            events.write(tx, told, now)
    return frozenset(chosen) - over, failed


def _post_ready(
    ref: Ref, owed: Owed, row: InventoryRow, ports: Ports, emit: Emit, told: list[NewEvent]
) -> HookFailed | None:
    failed: HookFailed | None = None
    for by, index, body in owed.declared:
        key = f"{owed.uid}/{owed.process}/{POST_READY}/{by}/{index}"
        about = _about(ref, key, owed.run, owed.apply_set, owed.verb, row.live.get("session_name", ""))
        ran = hooks.run(ports, POST_READY, body, about)
        how = f"failed: {ran.why}" if ran.why else "ran"
        output = f": {ran.output}" if ran.output else ""
        text = f"hook {POST_READY} `{ran.command}` {how}{output}"
        told.append(NewEvent(owed.uid, "PostReady", text[: events.LONGEST], ports.clock.now_utc().isoformat()))
        if not ran.why or ran.effect == "Ignore":
            continue
        emit("diagnostic", {"ref": str(ref), **ran.diagnostic(f" of {ref}")})
        if ran.effect == "Fail" and failed is None:
            failed = HookFailed(
                f"hook {POST_READY} `{ran.command}` of {ref} failed, it runs and is Ready: {ran.why}",
                hint=f"`houmao events {ref.kind.lower()}/{ref.name}` has what it printed",
            )
    return failed


def _ends(action: Action, case: Case) -> bool:
    return action.verb in ENDING and ends_a_process(action, case)


def _projects(desired: Desired, catalog: CatalogReader, planned: Planned) -> dict[str, Resource]:
    """The Project of each apply set: as declared, where all of a set is; else as it was applied last."""
    rows = [row for row in planned.view.snapshot.inventory.values() if row.ref.kind == "Project"]
    bundles = catalog.bundles({row.digest for row in rows}) if rows else {}
    found = {row.apply_set: from_bundle(row.ref, row, bundles[row.digest]) for row in rows if row.digest in bundles}
    if desired.whole:
        found.pop(desired.apply_set, None)
        own = next((each for ref, each in desired.declared.items() if ref.kind == "Project"), None)
        found |= {desired.apply_set: own} if own is not None else {}
    return found


def _about(ref: Ref, key: str, run: str, apply_set: str, verb: str, session: str) -> dict[str, str]:
    return {
        "HOUMAO_HOOK_KEY": key,
        "HOUMAO_RUN": run,
        "HOUMAO_APPLY_SET": apply_set,
        "HOUMAO_INSTANCE": ref.name,
        "HOUMAO_VERB": verb,
        "HOUMAO_SESSION_NAME": session,
    }


def _process(live: Mapping[str, str]) -> str:
    return f"{live.get('pid', '')}-{live.get('ticks', '')}"


def _put(tx: Transaction, owed: Mapping[Ref, Owed]) -> None:
    body: JsonMap = {str(ref): each.to_json() for ref, each in sorted(owed.items())}
    tx.put_meta(META_POST_READY, canonical(body))


def _of(found: Mapping[str, Json]) -> Owed:
    every = found["hooks"]
    declared: list[Declared] = []
    for each in every if isinstance(every, list) else ():
        if isinstance(each, list) and len(each) == 3 and isinstance(each[1], int) and isinstance(each[2], dict):
            declared.append((Ref.parse(str(each[0])), each[1], each[2]))
    return Owed(
        Uid(str(found["uid"])),
        str(found["process"]),
        datetime.fromisoformat(str(found["since"])),
        str(found["verb"]),
        str(found["run"]),
        str(found["applySet"]),
        tuple(declared),
    )
