"""What the families have in common: make, patch, rename and remove one resource of one kind."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from reconciler.app.authoring.change import Talk, declare, refuse_without_overlay, remove
from reconciler.app.authoring.edits import Given, edited, requested
from reconciler.app.authoring.flags import Flag, How
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.session import Flags, open_session
from reconciler.model.errors import DeclarationError, GuardRefused, Problem, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple


class Changed(NamedTuple):
    """The end of a command that changes something: the report of its plan, and what to answer."""

    report: Report
    body: JsonMap


class Existing(GuardRefused):
    """A resource of the name is there already."""

    code = "guard.exists"


def recorded_of(flags: Flags) -> Recorded:
    """What is recorded now, for looking."""
    return Recorded(open_session(flags))


def refuse_existing(recorded: Recorded, ref: Ref, *, replace: bool) -> None:
    """A name that is taken is replaced only when that was confirmed."""
    refuse_without_overlay(recorded.session)
    recorded.refuse_foreign(ref, "replaced")
    if ref in recorded.rows and not replace:
        raise Existing(
            f"{ref} exists already; making it again replaces all of it",
            hint="use `set` to change parts of it; to replace it, rerun with --yes",
            ref=str(ref),
        )


def make(
    flags: Flags, ref: Ref, family: Sequence[Flag], given: Given, talk: Talk, *, start: JsonMap | None = None
) -> Report:
    """Declare a resource from nothing but its flags and `start`: whatever is not given is at its default."""
    recorded = recorded_of(flags)
    refuse_existing(recorded, ref, replace=talk.run.yes)
    spec = edited(start or {}, family, given, recorded.session.settings.cwd)
    with told_by_flags(recorded, family, given, spec, ref):
        return declare(flags, [recorded.document(ref, spec)], talk)


def patch(
    flags: Flags,
    ref: Ref,
    family: Sequence[Flag],
    given: Given,
    talk: Talk,
    *,
    more: Callable[[Recorded, JsonMap], list[JsonMap]] = lambda recorded, spec: [],
) -> Report:
    """Change what the flags name and nothing else; `more` adds documents, and may change the spec.

    Raises UsageFault where no flag asks for anything, NotFound for an unknown name.
    """
    recorded = recorded_of(flags)
    refuse_without_overlay(recorded.session)
    recorded.row(ref)
    recorded.refuse_derived(ref)
    if not requested(family, given):
        raise UsageFault(f"No {ref.kind} updates requested.", hint="name at least one field to change")
    spec = edited(recorded.written(ref), family, given, recorded.session.settings.cwd)
    with told_by_flags(recorded, family, given, spec, ref):
        return declare(flags, [*more(recorded, spec), recorded.document(ref, spec)], talk)


def take_away(flags: Flags, ref: Ref, talk: Talk, *, cascade: bool) -> Report:
    """Remove one resource."""
    return remove(flags, (ref,), talk, cascade=cascade)


@contextmanager
def told_by_flags(recorded: Recorded, family: Sequence[Flag], given: Given, spec: JsonMap, ref: Ref) -> Iterator[None]:
    """What is wrong with a document is told of the flags it was made from, and with the nearest name there is."""
    try:
        yield
    except DeclarationError as error:
        raise DeclarationError(
            [_told(problem, recorded, family, given, spec, ref) for problem in error.problems]
        ) from None


def _told(
    problem: Problem, recorded: Recorded, family: Sequence[Flag], given: Given, spec: JsonMap, ref: Ref
) -> Problem:
    path = problem.path.removeprefix("spec.").partition("[")[0]
    flag = next((one for one in family if given.get(one.key) and _about(one, path)), None)
    schema = recorded.kinds.schema(ref.kind)
    fact = schema.shape.get(path) if schema else None
    hint = problem.hint
    if problem.code == "declare.reference.dangling" and fact is not None and fact.ref_kind:
        value = at_path(spec, path)
        names = value if isinstance(value, list) else [value]
        lost = next((n for n in names if isinstance(n, str) and Ref(fact.ref_kind, n) not in recorded.rows), None)
        hint = recorded.missing(Ref(fact.ref_kind, lost)).hint if lost else hint
    message = f"{flag.name}: {problem.message}" if flag is not None else problem.message
    return problem._replace(message=message, hint=hint)


def _about(flag: Flag, path: str) -> bool:
    if flag.how is How.ELSE:
        return False
    return path == flag.path or path.startswith(f"{flag.path}.") or (path == "metadata.name" and flag.how is How.NAME)
