"""`AuthProfile`: a named reference to a credential, never its value.

Where the overlay keeps the bytes, they are its bundle (`bundle`). Beside its catalog row it has one more fact: the
fingerprint of the files it is read from. When that moves, the profile is updated and whoever uses it is relaunched.
"""

from collections.abc import Sequence

from reconciler.engine.handler import Absent, Case, Context, Lookup, Present, Step, Target
from reconciler.kinds import credential
from reconciler.kinds.auth_profile import bundle, held
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of
from reconciler.model.action import Action, Code, Disruption, Reason, Verb
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Ports, Reader


def _recorded(target: Target) -> credential.Recorded:
    live = target.row.live if target.row else {}
    return credential.Recorded(live.get("auth_version", ""), live.get("auth_stamp", ""))


def _unmet(target: Target, spec: JsonMap, ports: Reader) -> tuple[Reason, ...]:
    found = credential.look_at(target, spec, _recorded(target), ports)[1]
    lost = held.missing(target, spec, ports)
    return (*found, credential.lacking(target, lost)) if lost else found


def _facts(target: Target, spec: JsonMap, ports: Reader) -> JsonMap:
    return {**credential.look_at(target, spec, _recorded(target), ports)[0], **held.fact(target, spec, ports)}


class AuthProfileKind(CatalogKind):
    """A catalog kind that also follows the fingerprint of its source files."""

    def plan(self, case: Case, look: Lookup) -> Sequence[Action]:
        """As for any definition, and `update` when the credential itself changed."""
        actions = super().plan(case, look)
        if case.want is None or case.row is None or not credential.rotated(case.ref, look):
            return actions
        where = f"{case.ref}.spec.source#content"
        reason = Reason(
            Code.AUTH_ROTATED, "the credential changed at its source", (where,), (case.want.at("spec.source"),)
        )
        if actions:
            return tuple(action._replace(reasons=(*action.reasons, reason)) for action in actions)
        return (Action(Verb.UPDATE, case.ref, case.uid, (reason,), disruption=Disruption.RECORD),)

    def steps(self, action: Action, case: Case, look: Lookup) -> Sequence[Step]:
        """The rows, and the fingerprint they go with."""
        steps = super().steps(action, case, look)
        if action.verb is Verb.REMOVE:
            return steps
        return (Step("record-fingerprint", run=_record), *steps)


def _record(ports: Ports, context: Context) -> None:
    """Into the inventory row, with the settling commit."""
    del ports
    seen = context.seen
    if isinstance(seen, Present | Absent):
        for key in ("auth_version", "auth_stamp"):
            context.live[key] = str(seen.stamp.get(key) or "")


handler = AuthProfileKind(
    "AuthProfile",
    schema=schema_of("auth_profile"),
    write=bundle.write,
    drop=bundle.drop,
    unmet=_unmet,
    extra=_facts,
    definition=bundle.definition,
)
