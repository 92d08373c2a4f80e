"""Kinds as people write them: `instances`, `instance`, `inst`, `i`; and what a command's words name."""

from collections.abc import Iterable, Sequence

from reconciler.model.errors import UsageFault
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple

EVERY = "all"


class Named(NamedTuple):
    """What was named: whole kinds, or single resources."""

    kinds: tuple[str, ...]
    refs: tuple[Ref, ...]


def plural(kind: str) -> str:
    """`LaunchProfile` as `launchprofiles`."""
    return f"{kind.lower()}s"


def short(kind: str, kinds: Iterable[str]) -> str:
    """The shortest word that means only this kind: initials of a long name, else its shortest clear beginning."""
    others = [other for other in kinds if other != kind]
    initials = "".join(letter for letter in kind if letter.isupper()).lower()
    if len(initials) > 1:
        return initials
    whole = kind.lower()
    for end in range(1, len(whole)):
        if [found for found in _beginning(whole[:end], [*others, kind]) if found != kind] == []:
            return whole[:end]
    return whole


def kind_of(word: str, kinds: Iterable[str]) -> str:
    """The kind a word means; raises UsageFault (64) with the nearest one, or with all it could mean."""
    known = sorted(kinds)
    folded = word.lower().replace("-", "").replace("_", "")
    for kind in known:
        if folded in (kind.lower(), plural(kind), short(kind, known)):
            return kind
    found = _beginning(folded, known)
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(kind.lower() for kind in found)
        raise UsageFault(f"{word!r} could mean {listed}", hint="write more of it", code="usage.kind")
    from reconciler.declare.suggest import nearest

    near = nearest(word, [spelling for kind in known for spelling in (kind.lower(), plural(kind))])
    hint = f"did you mean {near}?" if near else "`houmao api-resources` lists the kinds"
    raise UsageFault(f"there is no kind {word!r}", hint=hint, code="usage.kind")


def _beginning(word: str, kinds: Iterable[str]) -> list[str]:
    """Kinds that begin so; one whose name begins all the others (Instance, InstanceSet) is meant alone."""
    found = sorted((kind for kind in kinds if kind.lower().startswith(word)), key=len) if word else []
    if found and all(other.startswith(found[0]) for other in found):
        return found[:1]
    return sorted(found)


def named(words: Sequence[str], kinds: Iterable[str]) -> Named:
    """`instances`, `instance alice bob`, `instance/alice specialist/coder`, `all`, `roles,recipes`."""
    known = sorted(kinds)
    if any("/" in word for word in words):
        return Named((), tuple(_ref(word, known) for word in words))
    first, *names = words
    if first == EVERY:
        if names:
            raise UsageFault("`all` takes no names", hint="write kind/name")
        return Named(tuple(known), ())
    chosen = tuple(kind_of(part, known) for part in first.split(",") if part)
    if names and len(chosen) != 1:
        raise UsageFault("names go with one kind", hint="write kind/name for each")
    return Named(chosen, tuple(Ref(chosen[0], name) for name in names)) if chosen else _nothing(first)


def _nothing(word: str) -> Named:
    raise UsageFault(f"{word!r} names no kind", hint="`houmao api-resources` lists the kinds")


def _ref(word: str, known: Sequence[str]) -> Ref:
    kind, slash, name = word.partition("/")
    if not slash or not kind or not name or "/" in name:
        raise UsageFault(f"{word!r} is not kind/name", hint="write kind/name for each, such as instance/alice")
    return Ref(kind_of(kind, known), name)
