"""The declared set of one run: compiled, and scoped to its apply set."""

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from reconciler import __version__
from reconciler.app import holding, wiring
from reconciler.app import settings as settings_
from reconciler.app.request import PlanFlags, Source
from reconciler.app.selector import parse_selector, set_named
from reconciler.app.session import Session, ref_of
from reconciler.app.starter import is_starter as is_starter
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.compile import Compiled, Validate, compile_source
from reconciler.declare.envelope import SOURCE_ID_KEY
from reconciler.declare.inputs import Source as Inputs
from reconciler.engine import plan as planning
from reconciler.engine import prune
from reconciler.model.errors import DeclarationError, GuardRefused, UsageFault
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader

if TYPE_CHECKING:
    from reconciler.app.source_git import Fetched
    from reconciler.declare.memo import Memo
    from reconciler.ports.process import Process

RUNS = 100
"""How many runs are looked through for the last one of an apply set."""


class Desired(NamedTuple):
    """The declared set of one run and the scope it is applied in."""

    session: Session
    declared: Mapping[Ref, Resource]
    apply_set: str
    source_root: str
    compiled: Compiled | None
    gated: tuple[Compiled, Inputs] | None = None
    """Set where a run with no other flags than its source declared this: what the no-op gate may compare with."""

    by_hand: bool = False
    """Of an imperative verb: resources stay in the apply set they are in."""
    transient: Mapping[Ref, Mapping[str, str]] = {}
    """One-off variables of what is started, for this run alone."""
    fetched: "Fetched | None" = None
    """The commit it was declared in, where the source is a git repository."""
    rewritten: str = ""
    """Why that commit does not build on what was applied last; empty where it does."""

    restored: bool = False
    """Of a revision that is gone back to: all of a set, although no source was read."""
    restored_from: str = ""
    """The commit that revision was of."""

    @property
    def whole(self) -> bool:
        """Whether this is everything that its apply set shall hold."""
        return self.compiled is not None or self.restored

    @property
    def moves(self) -> tuple[tuple[Ref, Ref], ...]:
        """Names that became others."""
        return self.compiled.moves if self.compiled else ()

    @property
    def revision(self) -> str:
        """Source revision, where the source is a git work tree."""
        if self.restored:
            return self.restored_from
        return self.compiled.source_revision if self.compiled else ""


def load(
    session: Session,
    source: Source,
    wanted: PlanFlags,
    fetched: "Fetched | None" = None,
    memo: "Memo | None" = None,
) -> Desired:
    """Compile the source; raises DeclarationError with every fault, or the guard about an empty source.

    A source in a git repository is fetched, unless it is given as `fetched`. Who compiles again and again gives a memo.
    """
    reader = session.reader
    rows = {row.ref for row in reader.catalog.inventory()}
    if source.git and fetched is None:
        fetched = fetched_of(session, source)
    inputs = fetched.inputs(recursive=source.recursive) if fetched else inputs_of(source)
    compiled = compile_source(
        inputs,
        files=reader.files,
        kinds=Catalogue(folders=wiring.folders(wiring.KINDS)),
        providers=reader.providers,
        known=lambda ref: ref in rows or is_starter(ref),
        strict=Validate(wanted.validate),
        memo=memo,
    )
    project = compiled.project.ref.name if compiled.project else None
    apply_set = set_named(wanted.applyset) if wanted.applyset is not None else project or "default"
    rewritten = ""
    if fetched is not None:
        from reconciler.app.source_git import rewritten as why_rewritten

        annotations = compiled.project.annotations if compiled.project else {}
        compiled = fetched.named(compiled, declared_id=SOURCE_ID_KEY in annotations)
        rewritten = why_rewritten(fetched, _applied(reader, apply_set))
    if compiled.documents == 0:
        _refuse_empty(compiled, reader, wanted, apply_set)
    problems = [p for p in compiled.problems if not (compiled.documents == 0 and p.code.endswith("no_documents"))]
    if compiled.documents == 0 and not wanted.allow_empty:
        problems = list(compiled.problems)
    if problems:
        raise DeclarationError(problems)
    plain = wanted == PlanFlags() and not compiled.warnings and session.plain and fetched is None
    gated = (compiled, inputs) if plain else None
    return Desired(
        _with_socket(session, compiled),
        compiled.resources,
        apply_set,
        compiled.source_root,
        compiled,
        gated,
        fetched=fetched,
        rewritten=rewritten,
    )


def fetched_of(
    session: Session, source: Source, *, offline: bool = False, keep: frozenset[str] = frozenset()
) -> "Fetched":
    """Fetch a git source, or `offline` take what was fetched last; raises SourceUnavailable."""
    from reconciler.app import source_git
    from reconciler.declare.git_address import parse

    reader = session.reader
    # Looking is all that a reader promises. A mirror is a cache: fetching changes nothing that anything rests on.
    process = cast("Process", reader.process)
    world = source_git.World(reader.places, process, wiring.local_files(), reader.clock, reader.environ)
    signers = posixpath.join(session.settings.cwd, source.signers) if source.signers else ""
    return source_git.fetch(parse(source.git), world, signers=signers, offline=offline, keep=keep)


def _applied(reader: Reader, apply_set: str) -> str:
    """The commit that this apply set was last applied from, if it was one."""
    runs = (run.source_revision for run in reader.catalog.runs(RUNS) if run.apply_set == apply_set)
    return next((revision for revision in runs if revision), "")


def _with_socket(session: Session, compiled: Compiled) -> Session:
    """A declared socket counts after flag and environment, and before what the catalog recorded."""
    declared = compiled.project.spec.get("tmuxSocket") if compiled.project else None
    if session.settings.tmux_socket_source not in ("default", "project") or not isinstance(declared, str):
        return session
    if declared == session.settings.tmux_socket:
        return session
    settings = session.settings._replace(tmux_socket=declared, tmux_socket_source="project")
    reader = session.world.reader(settings)
    reader.catalog.close()
    return session._replace(settings=settings, reader=reader._replace(catalog=session.reader.catalog))


def _refuse_empty(compiled: Compiled, reader: Reader, wanted: PlanFlags, apply_set: str) -> None:
    """Nothing declared where an apply set still holds something is a guard, not a load error (R-LOAD-10)."""
    rows = reader.catalog.inventory()
    if wanted.applyset is None:
        sets = {row.apply_set for row in rows if row.source_root == compiled.source_root}
    else:
        sets = {wanted.applyset}
    held = [row for row in rows if row.apply_set in sets and row.live.get("derived") != "1"]
    only_empty = all(problem.code.endswith("no_documents") for problem in compiled.problems)
    if held and only_empty and not wanted.allow_empty:
        raise GuardRefused(
            f"nothing is declared, and apply set {sorted(sets)[0]!r} still holds {len(held)} resources",
            hint="--allow-empty accepts an empty source; with --prune, --prune-limit is asked for as well",
            code="guard.empty",
        )


def options(desired: Desired, wanted: PlanFlags, reader: Reader) -> planning.Options:
    """Everything that steers a plan, as one value."""
    compiled, session = desired.compiled, desired.session
    project = compiled.project.ref.name if compiled and compiled.project else None
    mismatch = project if wanted.applyset and project and wanted.applyset != project else None
    selects = parse_selector(wanted.selector) if wanted.selector else None
    outside: tuple[Ref, ...] = ()
    if selects is not None:
        outside = tuple(
            row.ref
            for row in reader.catalog.inventory()
            if row.apply_set == desired.apply_set and not selects(row.labels)
        )
    return planning.Options(
        apply_set=desired.apply_set,
        source_root=desired.source_root,
        now=reader.clock.now_utc(),
        engine_version=__version__,
        overlay_id=reader.overlay_id,
        source_revision=desired.revision,
        inputs_digest=compiled.inputs_digest if compiled else "",
        removal=prune.Asked(
            prune=wanted.prune,
            limit=wanted.prune_limit,
            allow_empty=wanted.allow_empty,
            allow_source_change=wanted.allow_source_change,
            allow_kinds=frozenset(wanted.allow_kind_removal),
            allow_set_mismatch=mismatch,
            mismatch_ok=wanted.allow_set_mismatch,
            outside_selector=outside,
            outside_ok=wanted.allow_prune_outside_selector,
            force_destroy=frozenset(refs_of(session, wanted.force_destroy)),
            rewritten=desired.rewritten,
        ),
        force_conflicts=wanted.force_conflicts,
        selects=(lambda resource: selects(resource.labels)) if selects else None,
        targets=frozenset(refs_of(session, wanted.targets)),
        exclude=frozenset(refs_of(session, wanted.exclude)),
        absent=holding.absences(reader),
    )


def refs_of(session: Session, texts: tuple[str, ...]) -> list[Ref]:
    try:
        return [ref_of(text, session.handlers) for text in texts]
    except ValueError as error:
        raise UsageFault(str(error), hint="write kind/name, such as instance/alice") from error


def inputs_of(source: Source) -> Inputs:
    return Inputs(source.paths, source.recursive, source.composition, source.stdin, settings_.cwd())
