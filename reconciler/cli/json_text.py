"""JSON indented by two, as `json.dumps(indent=2, ensure_ascii=False)` writes it.

That one leaves its C encoder for a slow one as soon as it indents: half of what a listing of a thousand agents cost.
"""

import json
from json.encoder import encode_basestring as quoted

from reconciler.model.json import Json


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
