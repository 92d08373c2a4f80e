"""`wait`: look again until a condition holds, a value appears, or a resource is gone."""

from collections.abc import Callable, Sequence

from reconciler.app import kind_names, look, read
from reconciler.app.session import Flags, Session, open_session
from reconciler.app.status import Status
from reconciler.model.errors import DeadlineExceeded, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple

POLL_S = 0.2


class Until(NamedTuple):
    """What is waited for. `holds` answers for one resource; `gone` when it must not be there."""

    text: str
    holds: Callable[[Status], bool]
    gone: bool = False


class Waited(NamedTuple):
    """Every resource that was waited for, in order of mention."""

    refs: tuple[Ref, ...]

    def to_json(self) -> JsonMap:
        """`{met: [ref]}`."""
        met: list[Json] = [str(ref) for ref in self.refs]
        return {"met": met}


def until(text: str, find: Callable[[str, Json], Sequence[str]]) -> Until:
    """`condition=Ready[=value]`, `delete`, `jsonpath={path}[=value]`; raises UsageFault for anything else.

    `find` answers the texts at a jsonpath.
    """
    kind, _, rest = text.partition("=")
    if text == "delete":
        return Until("deleted", lambda item: False, gone=True)
    if kind == "condition" and rest:
        name, _, wanted = rest.partition("=")
        wanted = wanted or "True"

        def condition(item: Status) -> bool:
            found = item.condition(name)
            return found is not None and found.status.value.lower() == wanted.lower()

        return Until(f"{name}={wanted}", condition)
    if kind == "jsonpath" and rest:
        path, value = _path_and_value(rest)

        def matches(item: Status) -> bool:
            found = find(path, item.to_json())
            return bool(found) if value is None else value in found

        return Until(f"{path}={value}" if value is not None else path, matches)
    raise UsageFault(
        f"--for={text} cannot be read",
        hint="write --for=condition=Ready, --for=delete or --for=jsonpath='{.status.health}'=healthy",
    )


def _path_and_value(text: str) -> tuple[str, str | None]:
    """`{.a.b}=c` at the equals sign after the braces; without braces at the first one outside brackets."""
    if text.startswith("{"):
        path, brace, rest = text.partition("}")
        if not brace or (rest and not rest.startswith("=")):
            raise UsageFault(f"--for=jsonpath={text} cannot be read", hint="write {.path}=value")
        return f"{path}}}", rest[1:] if rest else None
    path, equals, value = text.partition("=")
    return path, value if equals else None


def wait(flags: Flags, words: Sequence[str], what: Until, timeout_s: float, *, selector: str = "") -> Waited:
    """Wait for every resource named; raises DeadlineExceeded (exit 3) with what was seen last, NotFound, UsageFault."""
    session = open_session(flags)
    wanted = _wanted(session, words, selector)
    clock = session.reader.clock
    deadline = clock.monotonic() + timeout_s
    while True:
        left = _left(session, wanted, what)
        if not left:
            return Waited(wanted)
        if clock.monotonic() >= deadline:
            first, why = left[0]
            more = f", and {len(left) - 1} more" if len(left) > 1 else ""
            raise DeadlineExceeded(
                f"{first} was not {what.text} within {timeout_s:g} s ({why}){more}",
                hint=f"`houmao describe {first.kind.lower()}/{first.name}` says why",
                code="wait.timeout",
                ref=str(first),
            )
        clock.sleep(max(0.0, min(POLL_S, deadline - clock.monotonic())))


def _wanted(session: Session, words: Sequence[str], selector: str) -> tuple[Ref, ...]:
    named = kind_names.named(words, session.handlers)
    if named.refs:
        return named.refs
    found = read.refs(session, words, selector)
    if not found:
        raise read.NotFound(f"nothing matches {selector!r}", hint=f"`houmao get {words[0]}` lists what there is")
    return found


def _left(session: Session, wanted: Sequence[Ref], what: Until) -> list[tuple[Ref, str]]:
    """Those for which it does not hold yet, with what is seen instead."""
    items = {item.ref: item for item in look.at(session, refs=wanted)}
    left: list[tuple[Ref, str]] = []
    for ref in wanted:
        item = items.get(ref)
        if item is None:
            if not what.gone:
                raise read.NotFound(
                    f"{ref} is not recorded in this overlay", hint="apply what declares it first", ref=str(ref)
                )
        elif not what.holds(item):
            left.append((ref, _seen(item)))
    return left


def _seen(item: Status) -> str:
    ready, synced = item.condition("Ready"), item.condition("Synced")
    return ", ".join(f"{c.type}={c.status.value} ({c.reason})" for c in (synced, ready) if c is not None)
