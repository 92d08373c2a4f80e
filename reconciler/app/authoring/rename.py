"""Another name for the same thing: uid, history and session stay, and whoever refers to it follows (§11 row 13).

One plan, as a `Moved` document in a manifest would make it (R-MOD-11): the resource under its new name, and each of its
users that was made by hand with the name it now refers to. A user that a manifest declares keeps the old name there, so
it is a refusal.
"""

from reconciler.app import apply as apply_
from reconciler.app import holding, wiring
from reconciler.app.ask import Said
from reconciler.app.authoring.change import Talk, refuse_without_overlay
from reconciler.app.authoring.family import Existing
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.compose import recorded as last_applied
from reconciler.app.desired import Desired, is_starter, options
from reconciler.app.request import PlanFlags
from reconciler.app.session import Flags, opened
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.compile import compile_source
from reconciler.declare.dump import document, to_yaml
from reconciler.declare.inputs import STDIN, Source
from reconciler.declare.node import values_at
from reconciler.engine import plan as planning
from reconciler.engine.observe import observe
from reconciler.kinds.specialist.schema import recipe_name
from reconciler.model.errors import DeclarationError, GuardRefused, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.names import IMPERATIVE
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.ports.bundle import Reader


def rename(flags: Flags, old: Ref, name: str, talk: Talk) -> Report:
    """Plan and run the new name; raises GuardRefused where a manifest says the old one, Existing where it is taken."""
    with opened(flags) as session:
        refuse_without_overlay(session)
        recorded = Recorded(session)
        new = Ref(old.kind, name)
        recorded.row(old)
        recorded.refuse_foreign(old, "renamed")
        if new == old:
            raise UsageFault(f"{old} has this name already", hint="give another one with --to")
        if new in recorded.rows:
            raise Existing(f"{new} exists already", hint="choose another name", ref=str(new))
        names = _names(recorded, old, new)
        users = sorted({user for ref in names for user in recorded.users(ref)} - {old})
        held = [user for user in users if recorded.rows[user].apply_set != IMPERATIVE]
        if held:
            raise GuardRefused(
                f"{old} is named by {held[0]}, which a manifest declares",
                hint="rename it there, with a Moved document",
                code="guard.managed",
                ref=str(old),
            )
        documents = [_renamed(recorded, old, new), *(_following(recorded, user, names) for user in users)]
        declared = _compiled(recorded, documents, old)
        desired = Desired(session, declared, IMPERATIVE, "", None, by_hand=True)
        scope = frozenset(ref for ref, resource in declared.items() if not resource.derived)
        last = last_applied(session.reader).last
        follows = frozenset(ref for ref in recorded.every_user(names) if ref not in declared and not last[ref].derived)
        declared |= {ref: one for ref, one in last.items() if ref in follows or (one.owner in follows and one.derived)}
        moves = ((old, new),)

        def plan(reader: Reader) -> planning.Planned:
            wanted, held_ = holding.laid_over(declared, reader, moves)
            steered = options(desired, PlanFlags(), reader)
            snapshot = observe(wanted, IMPERATIVE, session.handlers, reader, moves=moves)
            return planning.make(
                wanted, snapshot, session.handlers, steered._replace(scope=scope, follows=follows), held_
            )

        first = plan(session.reader)
        talk.tell(Said("patch", (f"{old} -> {new}", *(f"{user}: refers to {new}" for user in users))))
        talk.emit("plan", {"planDigest": first.plan.digest(), "actions": len(first.plan.actions)})
        if first.plan.empty or talk.dry:
            talk.shown(first.plan)
            return Report(first.plan)
        return apply_.carry_out(
            session, first, plan, desired, talk.run, confirm=talk.confirm, shown=talk.shown, emit=talk.emit
        )


def _names(recorded: Recorded, old: Ref, new: Ref) -> dict[Ref, Ref]:
    """Every name that changes with it: those of what a specialist derives too."""
    found = {old: new}
    if old.kind == "Specialist":
        spec = recorded.spec(old)
        tool, setup = str(spec["provider"]), str(spec["setupRef"])
        found[Ref("Role", old.name)] = Ref("Role", new.name)
        recipe = recipe_name(old.name, tool, setup)
        found[Ref("Recipe", recipe)] = Ref("Recipe", recipe_name(new.name, tool, setup))
    return found


def _renamed(recorded: Recorded, old: Ref, new: Ref) -> JsonMap:
    row, spec = recorded.row(old), recorded.written(old)
    source = spec.get("source")
    if old.kind == "AuthProfile" and isinstance(source, dict) and source.get("existing") == old.name:
        source["existing"] = new.name
    return document(new.kind, new.name, spec, row.labels, row.annotations)


def _following(recorded: Recorded, user: Ref, names: dict[Ref, Ref]) -> JsonMap:
    """A user's document, with the new names in place of the old."""
    schema = recorded.kinds.schema(user.kind)
    assert schema is not None
    spec = recorded.written(user)
    for spot in schema.ref_spots:
        for found in values_at(spec, spot.path):
            for old, new in names.items():
                if found.value == old.name and spot.member.meta.ref == old.kind:
                    found.put(new.name)
                elif found.value == str(old):
                    found.put(str(new))
    return recorded.document(user, spec)


def _compiled(recorded: Recorded, documents: list[JsonMap], old: Ref) -> dict[Ref, Resource]:
    reader = recorded.session.reader
    found = compile_source(
        Source((STDIN,), stdin=to_yaml(documents).encode(), cwd="/"),
        files=reader.files,
        kinds=Catalogue(folders=wiring.folders(wiring.KINDS)),
        providers=reader.providers,
        known=lambda ref: (ref in recorded.rows and ref != old) or is_starter(ref),
    )
    if found.problems:
        raise DeclarationError([problem._replace(position=None) for problem in found.problems])
    # Where it would stand in a text that nobody wrote helps nobody.
    return {
        ref: Resource(
            ref,
            one.spec,
            one.digest,
            labels=one.labels,
            annotations=one.annotations,
            edges=one.edges,
            contents=one.contents,
            owner=one.owner,
            derived=one.derived,
        )
        for ref, one in found.resources.items()
    }
