"""The grammar of key sequences: `/model<[Enter]><[Down]><[Enter]>` (runtime-and-fleet-api §6.7). Pure.

Text outside tokens is literal. A token is `<[Name]>` without blanks or brackets inside; its names are case-sensitive.
Nothing is submitted that is not written.
"""

import re

from reconciler.model.errors import UsageFault
from reconciler.model.tuples import NamedTuple

NAMES = ("BSpace", "C-c", "C-d", "C-u", "C-z", "Down", "Enter", "Escape", "Left", "Right", "Tab", "Up")
_TOKEN = re.compile(r"<\[([^\s<>\[\]]+)\]>")


class Key(NamedTuple):
    """One named key, or a piece of literal text."""

    text: str
    literal: bool


def sequence(text: str, *, literal: bool = False) -> tuple[Key, ...]:
    """The keys of a sequence; `literal` takes the whole for text. Raises UsageFault, and then nothing may be sent."""
    if not text:
        raise UsageFault("the key sequence is empty", hint="write text, and keys such as <[Enter]>", code="usage.keys")
    if any(char < " " or "\x7f" <= char <= "\x9f" for char in text):
        raise UsageFault(
            "the key sequence holds a control character", hint=f"write keys by name: {_listed()}", code="usage.keys"
        )
    if literal:
        return (Key(text, True),)
    found: list[Key] = []
    at = 0
    for token in _TOKEN.finditer(text):
        if token[1] not in NAMES:
            raise UsageFault(f"there is no key {token[1]!r}", hint=f"the keys are {_listed()}", code="usage.keys")
        if token.start() > at:
            found.append(Key(text[at : token.start()], True))
        found.append(Key(token[1], False))
        at = token.end()
    if at < len(text):
        found.append(Key(text[at:], True))
    return tuple(found)


def _listed() -> str:
    return ", ".join(NAMES)
