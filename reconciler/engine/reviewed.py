"""A plan that was saved, held against the world as it is now: what is left to run, or what is stale. Pure.

Staleness is per resource (R-PLN-3): what a plan touches, and what that is made of. Everything else may have changed.
"""

from collections.abc import Collection, Mapping

from reconciler.engine.handler import Unknown
from reconciler.engine.lookup import View
from reconciler.engine.plan import Planned
from reconciler.model.action import Action, Disruption, Plan
from reconciler.model.json import JsonMap, canonical
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple


class Stamp(NamedTuple):
    """What a resource was when it was looked at: as declared, and as recorded."""

    declared: str | None
    """Digest of the declaration; None where nobody declares it."""
    uid: str | None
    generation: int | None
    digest: str | None
    """Digest last applied; None where it is not recorded."""

    def __str__(self) -> str:
        recorded = f"generation {self.generation}, {_short(self.digest)}" if self.uid else "not there"
        return f"{recorded}, declared {_short(self.declared)}" if self.declared else f"{recorded}, not declared"

    def to_json(self) -> JsonMap:
        """`{declared, uid, generation, digest}`."""
        return {"declared": self.declared, "uid": self.uid, "generation": self.generation, "digest": self.digest}


class Stale(NamedTuple):
    """One resource that is not what it was, in words."""

    ref: Ref
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.ref}: expected {self.expected}; found {self.found}"

    def to_json(self) -> JsonMap:
        """`{ref, expected, found}`."""
        return {"ref": str(self.ref), "expected": self.expected, "found": self.found}


class Checked(NamedTuple):
    """`left` are the actions to run, as they were reviewed; `stale` is empty when they may."""

    left: tuple[Action, ...]
    done: frozenset[Ref]
    stale: tuple[Stale, ...]


def stamps(plan: Plan, view: View) -> dict[Ref, Stamp]:
    """Of everything a plan touches and its direct and indirect inputs."""
    found: dict[Ref, Stamp] = {}
    for action in plan.running:
        for ref in (action.ref, *_inputs(action.ref, view)):
            if ref not in found:
                found[ref] = stamp(ref, view)
    return dict(sorted(found.items()))


def stamp(ref: Ref, view: View) -> Stamp:
    """Of one resource, now."""
    want, row = view.declared.get(ref), view.row(ref)
    recorded = row if row is not None and row.digest else None
    return Stamp(
        want.digest if want else None,
        recorded.uid if recorded else None,
        recorded.generation if recorded else None,
        recorded.digest if recorded else None,
    )


def check(plan: Plan, was: Mapping[Ref, Stamp], now: Planned) -> Checked:
    """Every action of `plan` that runs is done, or is exactly what would be planned now, or is stale."""
    fresh = {action.ref: action for action in now.plan.actions}
    ours = {action.ref for action in plan.running}
    done = frozenset(action.ref for action in plan.running if _done(action.ref, was, now, fresh))
    left: list[Action] = []
    stale: dict[Ref, Stale] = {}
    for action in plan.running:
        if action.ref in done:
            continue
        found = fresh.get(action.ref)
        wrong = _moved(action, was, now, found)
        if wrong is None:
            wrong = _moved_input(action, was, now, fresh, ours, done)
        if wrong is not None:
            stale.setdefault(wrong.ref, wrong)
        elif found is not None:
            left.append(_as_reviewed(action, found, now))
    return Checked(tuple(left), done, tuple(stale[ref] for ref in sorted(stale)))


def _declared(ref: Ref, view: View) -> str | None:
    return view.declared[ref].digest if ref in view.declared else None


def _inputs(ref: Ref, view: View) -> tuple[Ref, ...]:
    """What a resource is made of; nothing for one that nobody declares."""
    if ref not in view.declared:
        return ()
    return tuple(found.ref for found in view.closure(ref) if found.ref != ref)


def _done(ref: Ref, was: Mapping[Ref, Stamp], now: Planned, fresh: Mapping[Ref, Action]) -> bool:
    """There is nothing to do for it, and what is recorded is what the plan wanted."""
    case = now.cases.get(ref)
    if ref in fresh or ref not in was or (case is not None and isinstance(case.seen, Unknown)):
        return False
    found, wanted = stamp(ref, now.view), was[ref].declared
    if found.declared != wanted or found.digest != wanted:
        return False
    return all(used in was and was[used].declared == _declared(used, now.view) for used in _inputs(ref, now.view))


def _moved(action: Action, was: Mapping[Ref, Stamp], now: Planned, found: Action | None) -> Stale | None:
    """Why `action` is not what would be done to its own resource now."""
    ref, case = action.ref, now.cases.get(action.ref)
    if case is not None and isinstance(case.seen, Unknown):
        return Stale(ref, f"to {action.verb}", f"it cannot be observed: {case.seen.why}")
    before, here = was.get(ref), stamp(ref, now.view)
    if before != here:
        return Stale(ref, str(before or "nothing recorded"), str(here))
    if found is None:
        return Stale(ref, f"to {action.verb}", "nothing to do, and it is made of something else than was planned")
    if _goes_on(action, found, now):
        return None
    if not found.runs:
        why = "; ".join(reason.text for reason in found.reasons)
        return Stale(ref, f"to {action.verb}", f"{found.verb}: {why}")
    for name, ours, theirs in (
        ("verb", action.verb.value, found.verb.value),
        ("uid", action.uid, found.uid),
        ("reasons", _codes(action), _codes(found)),
        ("disruption", action.disruption.value, found.disruption.value),
        ("precondition", *_differing(action.pre, found.pre)),
        ("outcome", *_differing(action.post, found.post)),
    ):
        if ours != theirs:
            return Stale(ref, f"{name} {ours}", f"{name} {theirs}")
    return None


def _goes_on(action: Action, found: Action, now: Planned) -> bool:
    """A first create that a crash of this plan's own run left half done is the same action, and costs no more."""
    case = now.cases[action.ref]
    began = case.intent is not None and case.row is None and case.intent.verb == action.verb.value
    return (
        began
        and action.uid is None
        and found.verb is action.verb
        and found.disruption.weight <= max(action.disruption.weight, Disruption.RECORD.weight)
        and found.post.get("launchDigest") == action.post.get("launchDigest")
    )


def _moved_input(
    action: Action,
    was: Mapping[Ref, Stamp],
    now: Planned,
    fresh: Mapping[Ref, Action],
    ours: Collection[Ref],
    done: Collection[Ref],
) -> Stale | None:
    """Why something that `action` builds on is not what it was."""
    for ref in _inputs(action.ref, now.view):
        before, here = was.get(ref), stamp(ref, now.view)
        if before is None:
            return Stale(ref, f"that {action.ref} does not use it", "that it does")
        if before.declared != here.declared:
            return Stale(ref, str(before), str(here))
        if ref in ours:
            continue  # it is judged by itself, and what this plan made of it is what was reviewed
        owner = now.view.declared[ref].owner if ref in now.view.declared else None
        written = owner in done and here.digest == here.declared
        if before != here and not written:
            return Stale(ref, str(before), str(here))
        if ref in fresh and fresh[ref].runs:
            return Stale(ref, f"nothing to do, and {action.ref} builds on it", f"to {fresh[ref].verb}")
    return None


def _as_reviewed(action: Action, found: Action, now: Planned) -> Action:
    """What runs is what was read: the words of the plan, with what only a living plan knows."""
    if _goes_on(action, found, now):
        return found
    return action._replace(ready=found.ready, ready_timeout_ms=found.ready_timeout_ms)


def _codes(action: Action) -> str:
    return ", ".join(sorted({reason.code.value for reason in action.reasons}))


def _differing(ours: Mapping[str, object], theirs: Mapping[str, object]) -> tuple[str, str]:
    """Both sides of what differs, as JSON; equal where nothing does."""
    keys = [key for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)]
    first, second = (canonical({key: side[key] for key in keys if key in side}) for side in (ours, theirs))
    return first, second


def _short(digest: str | None) -> str:
    return digest[:19] if digest else "nothing"
