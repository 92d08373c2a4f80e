"""Use cases that only look: validate, plan, and the comparison with what was last applied."""

import posixpath
from collections.abc import Mapping

from reconciler.app import holding, wiring
from reconciler.app.desired import Desired, inputs_of, is_starter, load, options
from reconciler.app.request import PlanFlags, Source
from reconciler.app.session import Flags, opened
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.compile import Validate, compile_source
from reconciler.engine import plan as planning
from reconciler.engine.client import compare
from reconciler.engine.observe import observe, record_of
from reconciler.model.action import Code, Plan
from reconciler.model.errors import Problem
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple


class Validation(NamedTuple):
    """What `validate` found; nothing but files was read."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    resources: Mapping[Ref, Resource]
    documents: int


class PlanResult(NamedTuple):
    """A plan, what loading warned of, and how many resources could not be observed."""

    plan: Plan
    warnings: tuple[Problem, ...]
    unknown: int
    declared: int
    overlay: str
    overlay_exists: bool


def validate(flags: Flags, source: Source, mode: str = "strict") -> Validation:
    """Schema, references and policies; no catalog, no tmux (R-VAL-1)."""
    del flags
    from reconciler.providers import discover

    compiled = compile_source(
        inputs_of(source),
        files=wiring.local_files(),
        kinds=Catalogue(folders=wiring.folders(wiring.KINDS)),
        providers=discover(wiring.folders(wiring.PROVIDERS)),
        known=is_starter,
        strict=Validate(mode),
    )
    return Validation(compiled.problems, compiled.warnings, compiled.resources, compiled.documents)


def plan(flags: Flags, source: Source, wanted: PlanFlags) -> PlanResult:
    """Compile, observe and plan; writes nothing."""
    with opened(flags) as session:
        desired = load(session, source, wanted)
        return _result(_planned(desired, wanted).plan, desired)


def save(flags: Flags, source: Source, wanted: PlanFlags, path: str, valid_s: float | None) -> PlanResult:
    """The same, written to a file that `apply` holds to (R-PLN-1); nothing else is written."""
    from reconciler.app import plan_file
    from reconciler.engine import reviewed

    with opened(flags) as session:
        desired = load(session, source, wanted)
        planned = _planned(desired, wanted)
        reader = desired.session.reader
        here = plan_file.place(reader.files, planned.plan.overlay_id, session.settings.overlay.root)
        now, valid = reader.clock.now_utc(), plan_file.EXPIRES_S if valid_s is None else valid_s
        stamps = reviewed.stamps(planned.plan, planned.view)
        if desired.fetched is not None:  # what was reviewed is that commit, and no later one
            source = source._replace(git=str(desired.fetched.address))
        found = plan_file.made(planned.plan, source, wanted, stamps, here, now, valid)
        plan_file.write(posixpath.join(session.settings.cwd, path), found, wiring.local_files())
        return _result(planned.plan, desired)


def _planned(desired: Desired, wanted: PlanFlags) -> planning.Planned:
    session = desired.session
    declared, held = holding.laid_over(desired.declared, session.reader, desired.moves)
    snapshot = observe(declared, desired.apply_set, session.handlers, session.reader, moves=desired.moves)
    return planning.make(declared, snapshot, session.handlers, options(desired, wanted, session.reader), held)


def client_diff(flags: Flags, source: Source, wanted: PlanFlags) -> PlanResult:
    """`--dry-run=client`: compare with what was last applied; nothing is observed (R-CLI-3)."""
    with opened(flags) as session:
        desired = load(session, source, wanted)
        declared, held = holding.laid_over(desired.declared, session.reader, desired.moves)
        snapshot = record_of(declared, desired.apply_set, session.reader, moves=desired.moves)
        made = compare(declared, snapshot, session.handlers, options(desired, wanted, session.reader), held)
        return _result(made, desired)


def _result(found: Plan, desired: Desired) -> PlanResult:
    unknown = sum(1 for notice in found.notices if notice.code in (Code.UNKNOWN, Code.AMBIGUOUS))
    return PlanResult(
        found,
        desired.compiled.warnings if desired.compiled else (),
        unknown,
        found.declared,
        desired.session.settings.overlay.root,
        desired.session.overlay_exists,
    )
