"""Flags to specs and back: pure. A spec here is as a document writes it, not canonical.

edited({}, PROFILE, {"specialist": ("coder",), "headless": True})  ->  {"specialistRef": "coder", "posture": ...}
spoken(PROFILE, spec)                                              ->  ["--specialist", "coder", "--headless"]
"""

import posixpath
from collections.abc import Mapping, Sequence

from reconciler.app.authoring.flags import Flag, How
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.model.resource import at_path

Given = Mapping[str, tuple[str, ...] | bool]
"""What was written, by key of the flag: its values, or True for one without."""


def edited(spec: JsonMap, family: Sequence[Flag], given: Given, cwd: str) -> JsonMap:
    """A spec with the flags applied, those that take back first; the one handed in is not changed.

    Raises UsageFault for two flags that contradict each other and for values of the wrong form.
    """
    used = [flag for flag in family if given.get(flag.key)]
    _refuse_contradictions(used)
    out = _copied(spec)
    for flag in sorted(used, key=lambda each: each.how not in (How.CLEAR, How.DROP)):
        for path in flag.instead:
            remove(out, path)
        values = given[flag.key]
        _apply(out, flag, values if isinstance(values, tuple) else (), cwd)
    return out


def requested(family: Sequence[Flag], given: Given) -> bool:
    """Whether any flag asks for a change."""
    return any(given.get(flag.key) for flag in family if flag.how is not How.NAME)


def _refuse_contradictions(used: Sequence[Flag]) -> None:
    """One field has one word: no value beside its own `--clear-`, and no two values for one place."""
    told: dict[str, Flag] = {}
    for flag in used:
        if flag.how in (How.ELSE, How.NAME):
            continue
        for place in _places(flag):
            other = told.setdefault(place, flag)
            if other is not flag and not _agree(other, flag):
                raise UsageFault(f"{other.name} and {flag.name} exclude each other", hint="give one of them")
    for flag in used:
        if flag.how is How.CLEAR:
            inner = [one for one in used if one is not flag and _below(one, flag) and one.how is not How.DROP]
            if inner:
                raise UsageFault(f"{inner[0].name} and {flag.name} exclude each other", hint="give one of them")


def _places(flag: Flag) -> tuple[str, ...]:
    return (flag.path, *flag.instead)


def _below(one: Flag, whole: Flag) -> bool:
    return one.how not in (How.ELSE, How.NAME) and (one.path == whole.path or one.path.startswith(f"{whole.path}."))


JOINING = (How.ADD, How.DROP, How.ENTRY)
MANY_TO_ONE = ("mailbox",)
"""Fields several flags fill together."""


def _agree(one: Flag, two: Flag) -> bool:
    if one.how in JOINING and two.how in JOINING:
        return True
    return one.path == two.path and one.path in MANY_TO_ONE and How.CLEAR not in (one.how, two.how)


def _apply(spec: JsonMap, flag: Flag, values: tuple[str, ...], cwd: str) -> None:
    match flag.how:
        case How.VALUE if flag.path in MANY_TO_ONE:
            put(spec, f"{flag.path}.{_inner(flag)}", values[-1])
        case How.VALUE:
            text = values[-1]
            bare = flag.kind == "seconds" and text.isdigit()
            put(spec, flag.path, int(text) if flag.kind == "count" else f"{text}s" if bare else text)
        case How.FILE:
            put(spec, flag.path, absolute(values[-1], cwd))
        case How.CONST:
            put(spec, flag.path, flag.constant)
        case How.LIST:
            put(spec, flag.path, [*values])
        case How.ADD | How.DROP if flag.path.startswith("skills.private"):
            _private(spec, flag, values, cwd)
        case How.DROP if flag.path == "managedHeaderSections":
            for value in values:
                remove(spec, f"{flag.path}.{value}")
        case How.ADD | How.DROP:
            _members(spec, flag, values)
        case How.PAIRS:
            put(spec, flag.path, {**pairs(flag.name, values)})
        case How.ENTRY:
            for name, value in pairs(flag.name, values).items():
                put(spec, f"{flag.path}.{name}", _json(flag, value) if flag.metavar.endswith("JSON") else value)
        case How.CLEAR:
            remove(spec, flag.path)
        case _:
            pass


def _inner(flag: Flag) -> str:
    """`--mail-base-url` as `baseUrl`."""
    words = flag.name.removeprefix("--mail-").split("-")
    return words[0] + "".join(word.title() for word in words[1:])


def pairs(flag: str, values: Sequence[str]) -> dict[str, str]:
    """`NAME=value` by name: the first `=` splits, an empty value is one, no name twice."""
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageFault(f"{flag} {text} is not NAME=value", hint="an empty value is written NAME=")
        if name in found:
            raise UsageFault(f"{flag} gives {name} twice", hint="give it once")
        found[name] = value
    return found


def _json(flag: Flag, text: str) -> Json:
    import json

    try:
        value: Json = json.loads(text)
    except ValueError as error:
        raise UsageFault(f"{flag.name} needs JSON after the =, not {text!r}", hint='write true, 3 or "text"') from error
    return value


def _members(spec: JsonMap, flag: Flag, values: Sequence[str]) -> None:
    before = at_path(spec, flag.path)
    held = [item for item in before if isinstance(item, str)] if isinstance(before, list) else []
    if flag.how is How.ADD:
        put(spec, flag.path, [*held, *(value for value in dict.fromkeys(values) if value not in held)])
        return
    missing = [value for value in values if value not in held]
    if missing:
        raise UsageFault(f"{flag.name} {missing[0]}: it has no such skill", hint=f"it has {', '.join(held) or 'none'}")
    put(spec, flag.path, [item for item in held if item not in values])


def _private(spec: JsonMap, flag: Flag, values: Sequence[str], cwd: str) -> None:
    path = "skills.private"
    before = at_path(spec, path)
    held = [item for item in before if isinstance(item, dict)] if isinstance(before, list) else []
    for value in values:
        name = posixpath.basename(posixpath.normpath(value))
        where = absolute(value, cwd)
        same = [item for item in held if name == item.get("name") or where == item.get("path")]
        if flag.how is How.DROP and not same:
            names = ", ".join(str(item.get("name")) for item in held)
            raise UsageFault(f"{flag.name} {value}: it has no such private skill", hint=f"it has {names or 'none'}")
        held = [item for item in held if item not in same]
        if flag.how is How.ADD:
            mode = flag.constant or "copy"
            held.append({"name": name, "path": where, "mode": mode})
    put(spec, path, [*held])


def absolute(path: str, cwd: str) -> str:
    """A path as the content reader takes it: absolute, `~` apart."""
    return path if path.startswith("~") else posixpath.normpath(posixpath.join(cwd, path))


def put(spec: JsonMap, path: str, value: Json) -> None:
    """Set the value at a dotted path, making the maps above it."""
    here = spec
    *above, last = path.split(".")
    for part in above:
        inner = here.get(part)
        if not isinstance(inner, dict):
            inner = here[part] = {}
        here = inner
    here[last] = value


def remove(spec: JsonMap, path: str) -> None:
    """Take the value at a dotted path away, and the maps it leaves empty."""
    first, _, rest = path.partition(".")
    if not rest:
        spec.pop(first, None)
        return
    inner = spec.get(first)
    if isinstance(inner, dict):
        remove(inner, rest)
        if not inner:
            del spec[first]


def _copied(value: JsonMap) -> JsonMap:
    return {key: _copy(item) for key, item in value.items()}


def _copy(value: Json) -> Json:
    if isinstance(value, dict):
        return _copied(value)
    return [_copy(item) for item in value] if isinstance(value, list) else value


# --- back -------------------------------------------------------------------------------------------------------------


def spoken(family: Sequence[Flag], spec: JsonMap, verb: str = "create") -> list[str]:
    """The words that make this spec: what a document says, said as flags.

    Fields without a flag are left out; `--with-skill` and credentials are resources of their own.
    """
    words: list[str] = []
    told: set[str] = set()
    for flag in family:
        if verb not in flag.verbs or flag.how in (How.NAME, How.CLEAR, How.DROP, How.ELSE):
            continue
        alone = flag.how not in JOINING and flag.path not in MANY_TO_ONE
        found = [] if alone and flag.path in told else _said(flag, spec)
        words += found
        if found:
            told.add(flag.path)
    return words


def _said(flag: Flag, spec: JsonMap) -> list[str]:
    if flag.path.startswith("skills.private"):
        return _private_said(flag, spec)
    path = f"{flag.path}.{_inner(flag)}" if flag.path in MANY_TO_ONE else flag.path
    value = at_path(spec, path)
    if value is None or (flag.how is How.CONST and value != flag.constant):
        return []
    match flag.how:
        case How.CONST:
            return [flag.name]
        case How.LIST | How.ADD:
            return _each(flag, value)
        case How.PAIRS | How.ENTRY:
            return _entries(flag, value)
        case _:
            return [f"{flag.name}={value}"]


def _each(flag: Flag, value: Json) -> list[str]:
    return [f"{flag.name}={item}" for item in value] if isinstance(value, list) else []


def _entries(flag: Flag, value: Json) -> list[str]:
    json = flag.metavar.endswith("JSON")
    found = value if isinstance(value, dict) else {}
    return [f"{flag.name}={name}={canonical(item) if json else item}" for name, item in found.items()]


def _private_said(flag: Flag, spec: JsonMap) -> list[str]:
    if flag.how is not How.ADD:
        return []
    mode = flag.constant or "copy"
    found = at_path(spec, "skills.private")
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return [f"{flag.name}={item.get('path')}" for item in items if item.get("mode", "copy") == mode]
