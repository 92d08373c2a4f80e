"""JSON indented by two, as `json.dumps(indent=2, ensure_ascii=False)` writes it.

That one leaves its C encoder for a slow one as soon as it indents: half of what a listing of a thousand agents cost.
What is printed may be read in a terminal, and may hold what another terminal shows: see `harmless`.
"""

import json
from json.encoder import encode_basestring as quoted

from reconciler.model.json import Json


def printed(value: Json) -> str:
    """A document, indented."""
    return harmless(indented(value))


def on_one_line(value: Json) -> str:
    """A document without line breaks."""
    return harmless(json.dumps(value, ensure_ascii=False))


def harmless(text: str) -> str:
    """The same document with all that a terminal would obey, or not show, as escapes.

    JSON itself escapes control characters below the space alone: neither those of eight bits, nor what turns the
    direction of text, nor half of a pair, which cannot be written at all.
    """
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """`\\u202e`, or a pair of them."""
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def indented(value: Json, line: str = "\n") -> str:
    """The text of `value`; `line` is a line break and the indentation that `value` stands at."""
    below = f"{line}  "
    if isinstance(value, dict) and value:
        # Most members are texts: they are written here, without a call for each.
        members = [
            f"{quoted(key)}: {quoted(member) if isinstance(member, str) else indented(member, below)}"
            for key, member in value.items()
        ]
        return f"{{{below}{f',{below}'.join(members)}{line}}}"
    if isinstance(value, list) and value:
        return f"[{below}{f',{below}'.join([indented(member, below) for member in value])}{line}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    return repr(value) if isinstance(value, int) else json.dumps(value)
