"""The leaves that kinds are written with: names, references, durations, paths, numbers, choices.

Each is one `Scalar`: what it accepts, its canonical form, and the same in JSON Schema. The two are compared by a
differential test, so a pattern is written once here and used for both. Patterns end in `$(?!\\n)` because some readers
of JSON Schema let `$` match before a final line break.
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Annotated

from reconciler.declare.node import Complaint, Free, Scalar, nfc, same
from reconciler.declare.suggest import nearest
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import name_fault, session_name_fault

TYPE, VALUE, RANGE = "declare.schema.type", "declare.schema.value", "declare.schema.range"
NOT_IMPLEMENTED = "declare.not_implemented"
END = r"$(?!\n)"

NAME_PATTERN = r"^(?!houmao[-_])[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?" + END
SESSION_PATTERN = r"^[A-Za-z0-9_-]{1,128}" + END
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}" + END
ENV_PATTERN = r"^(?!HOUMAO_)[A-Za-z_][A-Za-z0-9_]{0,254}" + END
LINE_PATTERN = r"^[^\u0000-\u001f\u007f]{1,4096}" + END
TEXT_PATTERN = r"^[^\u0000]*" + END
DURATION_PATTERN = r"^([0-9]{1,9}(ms|s|m|h|d))+" + END
DURATION_MAX = 10**13
"""Milliseconds; some three hundred years."""
PAUSE_MAX = 86_400_000
"""Milliseconds; a day."""
# A published pattern cannot add up, so each way to write a pause is bounded by itself.
PAUSE_PATTERN = (
    r"^(?=[^1-9]*[1-9])("
    r"([0-9]{1,7}|[1-7][0-9]{7}|8[0-5][0-9]{6}|86[0-3][0-9]{5}|86400000)ms"
    r"|([0-9]{1,4}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)s"
    r"|([0-9]{1,3}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m"
    r"|24h|1d"
    r"|(([01]?[0-9]|2[0-3])h)?([0-5]?[0-9]m)?([0-5]?[0-9]s)?([0-9]{1,3}ms)?"
    r")" + END
)
PERIOD_MIN = 1_000
"""Milliseconds; nothing that is repeated for months is repeated faster."""
PERIOD_PATTERN = (
    r"^(?=[^1-9]*[1-9])("
    r"([0-9]{1,4}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)s"
    r"|([0-9]{1,3}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m"
    r"|24h|1d"
    r"|(([01]?[0-9]|2[0-3])h)?([0-5]?[0-9]m)?([0-5]?[0-9]s)?"
    r")" + END
)

_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}


def sort_of(value: Json) -> str:
    """What a value is, in words."""
    return "nothing" if value is None else _WORDS[type(value)]


def expected(what: str, value: Json) -> Complaint:
    """A complaint about the type of a value."""
    if value is None:
        return Complaint(TYPE, f"has no value, {what} is expected", "give it a value, or leave the field out")
    hint = f'quote it: "{str(value).lower() if isinstance(value, bool) else value}"'
    quoted = isinstance(value, int | float) and "text" in what
    return Complaint(TYPE, f"must be {what}, not {sort_of(value)}", hint if quoted else f"write {what}")


def searching(text: str) -> Callable[[str], bool]:
    """Whether a pattern is found in a text. It is compiled when first asked for: a run needs a third of them, and
    all together take 3 ms.
    """
    search: Callable[[str], re.Match[str] | None] | None = None

    def found(value: str) -> bool:
        nonlocal search
        if search is None:
            search = re.compile(text).search
        return search(value) is not None

    return found


def pattern(
    text: str, what: str, hint: str, clean: Callable[[Json], Json] = same, longest: int | None = None
) -> Scalar:
    """Text that matches a pattern; `what` completes "must be …"."""
    matches = searching(text)

    def check(value: Json) -> Complaint | None:
        if not isinstance(value, str):
            return expected("text", value)
        return None if matches(value) else Complaint(VALUE, f"must be {what}", hint)

    return Scalar({"type": "string", "pattern": text}, check, clean)


def judged(text: str, fault: Callable[[str], str | None], rule: str) -> Scalar:
    """Text that matches a pattern, with a better explanation than the pattern."""
    matches = searching(text)

    def check(value: Json) -> Complaint | None:
        if not isinstance(value, str):
            return expected("text", value)
        if matches(value):
            return None
        why = fault(value) or "is not allowed here"
        before, _, fix = why.partition("; ")
        return Complaint("declare.name", f"{value!r} {before}" if len(value) < 200 else before, fix, rule)

    return Scalar({"type": "string", "pattern": text}, check)


def choice(*words: str, refused: Mapping[str, str] | None = None, aliases: Mapping[str, str] | None = None) -> Scalar:
    """One of some words. `refused` are words of a later release, `aliases` other spellings of a word."""
    spelled = {**{word: word for word in words}, **(aliases or {})}
    later = refused or {}

    def check(value: Json) -> Complaint | None:
        if not isinstance(value, str):
            return expected(f"text ({' | '.join(words)})", value)
        if value in spelled:
            return None
        if value in later:
            return Complaint(NOT_IMPLEMENTED, f"{value!r} is not implemented in this release", later[value])
        near = nearest(value, spelled)
        listed = ", ".join(words)
        return Complaint(
            VALUE, f"{value!r} is none of: {listed}", f"did you mean {near!r}?" if near else f"write {listed}"
        )

    def clean(value: Json) -> Json:
        return spelled.get(value, value) if isinstance(value, str) else value

    return Scalar({"type": "string", "enum": list(spelled)}, check, clean)


def whole(lowest: int, highest: int) -> Scalar:
    """A whole number within bounds; `2.0` is one, as in JSON."""

    def check(value: Json) -> Complaint | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            return expected("a whole number", value)
        if lowest <= value <= highest:
            return None
        hint = f"write a number from {lowest} to {highest}"
        return Complaint(RANGE, f"{value} is not between {lowest} and {highest}", hint)

    return Scalar({"type": "integer", "minimum": lowest, "maximum": highest}, check, integral)


PERCENT_PATTERN = r"^([1-9][0-9]?|100)%" + END
_is_percent = searching(PERCENT_PATTERN)


def _amount(value: Json) -> Complaint | None:
    hint = "write a number such as 2, or a part of them such as 25%"
    if isinstance(value, str):
        return None if _is_percent(value) else Complaint(VALUE, f"{value[:40]!r} is no part of a number", hint)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return expected("a whole number or a percentage", value)
    return None if 1 <= value <= 10_000 else Complaint(RANGE, f"{value} is not between 1 and 10000", hint)


def number(lowest: float, highest: float) -> Scalar:
    """A number above `lowest`, at most `highest`."""

    def check(value: Json) -> Complaint | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return expected("a number", value)
        return (
            None
            if lowest < value <= highest
            else Complaint(RANGE, f"{value} is not above {lowest} and at most {highest}")
        )

    return Scalar({"type": "number", "exclusiveMinimum": lowest, "maximum": highest}, check, integral)


def integral(value: Json) -> Json:
    """Integers never floats (R-CAN-2)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _flag(value: Json) -> Complaint | None:
    return None if isinstance(value, bool) else expected("true or false", value)


def _off(value: Json) -> Complaint | None:
    if value is True:
        return Complaint(NOT_IMPLEMENTED, "is not implemented in this release", "leave it out, or write false")
    return _flag(value)


_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_is_duration = searching(DURATION_PATTERN)
_is_pause = searching(PAUSE_PATTERN)
_is_period = searching(PERIOD_PATTERN)


def milliseconds(value: Json) -> Json:
    """`1m30s` and `90s` as 90000; milliseconds stay what they are."""
    if isinstance(value, str):
        return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhd])", value))
    return integral(value)


def _duration(value: Json) -> Complaint | None:
    hint = "write it like 90s, 1m30s, 250ms, or a number of milliseconds"
    if isinstance(value, str):
        return None if _is_duration(value) else Complaint(VALUE, f"{value[:40]!r} is no duration", hint)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return expected("a duration", value)
    return None if 0 <= value <= DURATION_MAX else Complaint(RANGE, "is no duration anyone waits for", hint)


def _pause(value: Json) -> Complaint | None:
    wrong = _duration(value)
    if wrong is not None:
        return wrong
    fits = _is_pause(value) if isinstance(value, str) else 1 <= float(str(value)) <= PAUSE_MAX
    return None if fits else Complaint(RANGE, "is not between a millisecond and a day", "write it like 500ms or 1m30s")


def _period(value: Json) -> Complaint | None:
    wrong = _duration(value)
    if wrong is not None:
        return wrong
    fits = _is_period(value) if isinstance(value, str) else PERIOD_MIN <= float(str(value)) <= PAUSE_MAX
    return None if fits else Complaint(RANGE, "is not between a second and a day", "write it like 30s, 10m or 2h")


def lexical(value: Json) -> Json:
    """A path without `.`, doubled slashes and inner `..`; `~` stays for the one who uses it."""
    return posixpath.normpath(nfc(value)) if isinstance(value, str) else value


def reference(kind: str) -> Scalar:
    """A reference to another resource: a name, `Kind/name`, or `{name: …}` (R-MOD-7); canonically the name alone."""
    name = NAME_PATTERN.removeprefix("^")
    text = rf"^({kind}/)?{name}"
    matches = searching(text)
    exact = searching(NAME_PATTERN)

    def check(value: Json) -> Complaint | None:
        if isinstance(value, dict):
            inner = value.get("name")
            if set(value) == {"name"} and isinstance(inner, str) and exact(inner):
                return None
            return Complaint(
                VALUE, "must have a 'name', a valid one, and nothing else", f"write the name of one {kind}"
            )
        if not isinstance(value, str):
            return expected(f"the name of one {kind}, as text", value)
        if matches(value):
            return None
        other, slash, rest = value.partition("/")
        if slash and other != kind:
            return Complaint(
                "declare.reference.kind", f"must name a {kind}, not a {other}", f"write {rest!r} or {kind}/{rest}"
            )
        why = name_fault(rest if slash else value) or "is not allowed"
        before, _, fix = why.partition("; ")
        return Complaint("declare.name", f"{value[:200]!r} {before}", fix, "R-MOD-4")

    schema: JsonMap = {
        "anyOf": [
            {"type": "string", "pattern": text},
            {
                "type": "object",
                "properties": {"name": {"type": "string", "pattern": NAME_PATTERN}},
                "required": ["name"],
                "additionalProperties": False,
            },
        ]
    }
    return Scalar(schema, check, referred)


def referred(value: Json) -> Json:
    """The name a reference names."""
    if isinstance(value, dict):
        value = value.get("name", "")
    return value.rpartition("/")[2] if isinstance(value, str) else value


def canonical_provider(value: Json) -> Json:
    """The tool name of a provider's longer name (R-MOD-12)."""
    return {"claude_code": "claude", "gemini_cli": "gemini"}.get(value, value) if isinstance(value, str) else value


_ANY_REF = r"^[A-Z][A-Za-z0-9]{0,62}/" + NAME_PATTERN.removeprefix("^")


def _text(value: Json) -> Complaint | None:
    if not isinstance(value, str):
        return expected("text", value)
    return Complaint(VALUE, "has a NUL character") if "\0" in value else None


def _free(value: Json) -> Complaint | None:
    del value
    return None


Name = Annotated[str, judged(NAME_PATTERN, name_fault, "R-MOD-4")]
SessionName = Annotated[str, judged(SESSION_PATTERN, session_name_fault, "R-MOD-4a")]
AgentId = Annotated[
    str, pattern(ID_PATTERN, "letters, digits, '-' and '_', 128 at most", "begin with a letter or digit")
]
Text = Annotated[str, Scalar({"type": "string", "pattern": TEXT_PATTERN}, _text)]
Line = Annotated[str, pattern(LINE_PATTERN, "one line of text, not empty, without control characters", "")]
FilePath = Annotated[str, pattern(LINE_PATTERN, "a path: one line of text, not empty", "", lexical)]
EnvName = Annotated[
    str,
    pattern(
        ENV_PATTERN,
        "a variable name: letters, digits and '_', no digit first, not beginning with HOUMAO_",
        "names that begin with HOUMAO_ are set by the program itself",
    ),
]
Duration = Annotated[
    str,
    Scalar(
        {
            "anyOf": [
                {"type": "string", "pattern": DURATION_PATTERN},
                {"type": "integer", "minimum": 0, "maximum": DURATION_MAX},
            ]
        },
        _duration,
        milliseconds,
    ),
]
Pause = Annotated[
    str,
    Scalar(
        {
            "anyOf": [
                {"type": "string", "pattern": PAUSE_PATTERN},
                {"type": "integer", "minimum": 1, "maximum": PAUSE_MAX},
            ]
        },
        _pause,
        milliseconds,
    ),
]
"""A duration of a millisecond to a day."""
Period = Annotated[
    str,
    Scalar(
        {
            "anyOf": [
                {"type": "string", "pattern": PERIOD_PATTERN},
                {"type": "integer", "minimum": PERIOD_MIN, "maximum": PAUSE_MAX},
            ]
        },
        _period,
        milliseconds,
    ),
]
"""A duration of a second to a day, in whole seconds where it is text."""
Amount = Annotated[
    str,
    Scalar(
        {
            "anyOf": [
                {"type": "string", "pattern": PERCENT_PATTERN},
                {"type": "integer", "minimum": 1, "maximum": 10_000},
            ]
        },
        _amount,
        integral,
    ),
]
"""A number of things, or a part of them in percent."""
Flag = Annotated[bool, Scalar({"type": "boolean"}, _flag)]
Off = Annotated[bool, Scalar({"const": False}, _off)]
Level = Annotated[int, whole(0, 1_000)]
Provider = Annotated[
    str,
    pattern(
        r"^[a-z][a-z0-9_-]{0,62}" + END,
        "the name of a provider, such as claude, codex, gemini or echo",
        "",
        canonical_provider,
    ),
]
AnyRef = Annotated[str, pattern(_ANY_REF, "Kind/name, such as Instance/alice", "write the kind, a slash and the name")]
AuthRef = Annotated[str, reference("AuthProfile")]
RecipeRef = Annotated[str, reference("Recipe")]
RoleRef = Annotated[str, reference("Role")]
ProfileRef = Annotated[str, reference("LaunchProfile")]
SetupRef = Annotated[str, reference("Setup")]
SkillRef = Annotated[str, reference("Skill")]
SpecialistRef = Annotated[str, reference("Specialist")]
PromptMode = Annotated[str, choice("unattended", "as_is")]
CopyMode = Annotated[str, choice("copy", "symlink")]
AnyJson = Annotated[object, Free(), Scalar({}, _free)]
