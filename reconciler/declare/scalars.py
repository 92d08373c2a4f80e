"""What a plain scalar means: the YAML 1.2 core schema, and what is refused instead of guessed (R-LOAD-4).

C parsers resolve by YAML 1.1, where `yes` is a boolean, `010` is eight and `1:30` is ninety. The reader therefore takes
the parser's text and asks here. Where the two versions of YAML disagree in a way that changes what a person meant, the
answer is a `Refusal`: a value, so that the reader can give it a position and go on.
"""

import re

from reconciler.model.tuples import NamedTuple

Scalar = None | bool | int | float | str


class Refusal(NamedTuple):
    """Why a scalar is not accepted as it is written."""

    code: str
    message: str
    hint: str


TAG_PREFIX = "tag:yaml.org,2002:"
"""What `!!` stands for."""

_AMBIGUOUS = ("yes", "no", "on", "off")
_HIGHEST_BITS = 1023
"""An integer of more bits has no finite float; nothing that is declared needs one."""


def _ambiguous(word: str) -> Refusal:
    meant = "true" if word.lower() in ("yes", "on") else "false"
    return Refusal(
        "declare.yaml.ambiguous_word",
        f"{word} is a truth value to some YAML readers and text to others",
        f'write {meant}, or quote it: "{word}"',
    )


WORDS: dict[str, Scalar | Refusal] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{form: _ambiguous(form) for word in _AMBIGUOUS for form in (word, word.capitalize(), word.upper())},
}
"""Every plain word that is not simply text."""

NUMERIC_STARTS = frozenset("+-.0123456789")
"""The first characters of everything `number` can make something of."""

_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)"
    r"|(?P<oct>0o[0-7]+)"
    r"|(?P<hex>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
    r"|(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)"
)

_NOT_FINITE = Refusal(
    "declare.yaml.not_finite", "this number is not finite", "write a finite number, or quote it if it is text"
)
_TOO_LONG = Refusal(
    "declare.yaml.number_too_long",
    "this integer is longer than any number a field can hold",
    "quote it if it is text, such as an identifier",
)
_TIMESTAMP = Refusal(
    "declare.yaml.timestamp",
    "an unquoted date is a timestamp to some YAML readers and text to others",
    "quote it",
)


def resolve(text: str) -> Scalar | Refusal:
    """What an untagged plain scalar means; everything the core schema does not name is text."""
    if text in WORDS:
        return WORDS[text]
    if text[0] in NUMERIC_STARTS:
        return number(text)
    return text


def number(text: str) -> Scalar | Refusal:
    """`resolve` for a text that begins like a number."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    match found.lastgroup:
        case "int":
            # Python refuses to convert more than 4,300 digits, so the length is looked at first.
            return _fitting(int(text)) if len(text) < 400 else _TOO_LONG
        case "oct":
            return _fitting(int(text[2:], 8)) if len(text) < 400 else _TOO_LONG
        case "hex":
            return _fitting(int(text[2:], 16)) if len(text) < 400 else _TOO_LONG
        case "float":
            value = float(text)
            return value if value - value == 0 else _NOT_FINITE
        case "endless":
            return _NOT_FINITE
        case _:
            return _TIMESTAMP


def _fitting(value: int) -> int | Refusal:
    return value if value.bit_length() <= _HIGHEST_BITS else _TOO_LONG


def tagged(tag: str, text: str) -> Scalar | Refusal:
    """What a scalar with an explicit tag means: `!!str 5` is text, `!!int "5"` a number, `!!foo` refused."""
    name = tag.removeprefix(TAG_PREFIX)
    if tag in ("!", f"{TAG_PREFIX}str"):
        return text
    if tag == name or name not in ("null", "bool", "int", "float"):
        return refused_tag(tag)
    value = resolve(text)
    if isinstance(value, Refusal):
        return value
    if name == "float" and type(value) is int:
        return float(value)
    if {"null": type(None), "bool": bool, "int": int, "float": float}[name] is type(value):
        return value
    return Refusal("declare.yaml.tag", f"this is not what its tag !!{name} says", "drop the tag, or write such a value")


def refused_tag(tag: str) -> Refusal:
    """A tag outside the core schema, or on the wrong sort of node."""
    shown = "!!" + tag.removeprefix(TAG_PREFIX) if tag.startswith(TAG_PREFIX) else tag
    return Refusal("declare.yaml.tag", f"the tag {shown[:60]} is not understood here", "drop the tag")
