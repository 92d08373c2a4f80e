"""What a prompt makes the pretended model answer.

The loopback server and a stub provider both speak this grammar, so one test body runs in either tier. An answer
is a tuple of pieces; whoever speaks a vendor's protocol turns pieces into frames. Nothing here reads a clock or
draws a random number: every delay is asked for by the prompt.

    echo TEXT        TEXT back, word by word
    slow N           N seconds of words, ten a second
    stall            the answer never begins; only the client or the server's end stops it
    thinking TEXT    a thought saying TEXT, then "thought: TEXT"
    shell CMD        a call of the CLI's own shell tool, then, once its result came back, "shell said: RESULT"
    tool NAME JSON   a call of any tool, then "tool said: RESULT"; JSON is an object and may be left out
    role             which role marks (`role-mark:WORD`) the request carried, and where
    role TEXT        where the request carried TEXT outside the conversation
    http CODE        the request is refused with this HTTP status
    anything else    echoed
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

JsonObject = dict[str, Any]

ROLE_MARK = re.compile(r"role-mark:([A-Za-z0-9][A-Za-z0-9_-]*)")
VERBS = ("echo", "slow", "stall", "thinking", "shell", "tool", "role", "http")
WORDS_PER_SECOND = 10
LONGEST_SLOW_S = 600
LONGEST_RESULT = 200
"""Characters of a tool result that are repeated in the final answer."""

_ENVELOPES = re.compile(
    r"<(system-reminder|environment_context|user_instructions|session_context|permissions[ _]instructions)>.*?</\1>",
    re.DOTALL,
)
_PASTE = re.compile(r"</?\s*pasted_content\b[^>]*>")
_NOTICES = re.compile(
    r"^\[Request interrupted by user[^\]]*\]$|^<turn_aborted>.*</turn_aborted>$|^# AGENTS\.md instructions\b", re.DOTALL
)
"""Whole user texts nobody typed."""


class Say(NamedTuple):
    """A run of answer text."""

    text: str


class Think(NamedTuple):
    """A run of thought text, shown or hidden as the CLI likes."""

    text: str


class Call(NamedTuple):
    """A tool call; None in place of a name means the CLI's own shell tool, whose name the wire knows."""

    tool: str | None
    arguments: Mapping[str, Any]


class Wait(NamedTuple):
    """Nothing for so many seconds."""

    seconds: float


class Stall(NamedTuple):
    """Nothing, for ever."""


class Refuse(NamedTuple):
    """No answer but an HTTP status, 400 to 599."""

    status: int


Piece = Say | Think | Call | Wait | Stall | Refuse


class Passage(NamedTuple):
    """A text of a request that nobody typed as a prompt: where it stood (system, developer, user) and what it says."""

    where: str
    text: str


class Heard(NamedTuple):
    """What a request says, whatever protocol it came in."""

    prompt: str
    result: str | None = None
    """The result of the tool call made for this prompt; None while none was made."""
    passages: Sequence[Passage] = ()
    earlier: Sequence[str] = ()
    """The prompts of the conversation before this one, oldest first."""


def taken_apart(text: str) -> tuple[str, str]:
    """(what was typed, the envelopes a CLI put around or beside it) of one user text; either may be empty."""
    envelopes = "\n".join(match.group(0) for match in _ENVELOPES.finditer(text))
    typed = _PASTE.sub("", _ENVELOPES.sub("", text)).strip()
    return ("", f"{envelopes}\n{typed}".strip()) if _NOTICES.match(typed) else (typed, envelopes)


def verb_of(prompt: str) -> tuple[str, str]:
    """(verb, argument); a prompt that starts with no verb is an echo of itself."""
    # An interrupted prompt may be put back in front of the next one: the last line is the one that counts.
    line = prompt.strip().splitlines()[-1].strip() if prompt.strip() else ""
    head, _, rest = line.partition(" ")
    if head in ("stall", "role") and not rest:
        return head, ""
    if head in VERBS and rest.strip() and head != "stall":
        return (head, rest.strip()) if _sound(head, rest.strip()) else ("echo", prompt.strip())
    return "echo", prompt.strip()


def _sound(verb: str, argument: str) -> bool:
    """Whether the argument is one the verb understands; if not, the prompt is ordinary prose and is echoed."""
    if verb == "slow":
        return re.fullmatch(r"\d{1,3}(\.\d+)?", argument) is not None and float(argument) <= LONGEST_SLOW_S
    if verb == "http":
        return re.fullmatch(r"[45]\d\d", argument) is not None
    if verb == "tool":
        return _call(argument) is not None
    return True


def _call(argument: str) -> Call | None:
    name, _, text = argument.partition(" ")
    try:
        arguments = json.loads(text) if text.strip() else {}
    except ValueError:
        return None
    return Call(name, arguments) if isinstance(arguments, dict) else None


def answer(heard: Heard) -> tuple[Piece, ...]:
    """The pieces of the answer to one request; same request, same pieces."""
    verb, argument = verb_of(heard.prompt)
    if verb == "shell":
        return (Call(None, {"command": argument}),) if heard.result is None else _said("shell said", heard.result)
    if verb == "tool":
        call = _call(argument)
        assert call is not None, "verb_of lets no unreadable call pass"
        return (call,) if heard.result is None else _said("tool said", heard.result)
    if verb == "slow":
        count = max(1, round(float(argument) * WORDS_PER_SECOND))
        beat = Wait(1 / WORDS_PER_SECOND)
        return (*(piece for n in range(1, count + 1) for piece in (beat, Say(f"word{n} "))), Say("end"))
    if verb == "stall":
        return (Stall(),)
    if verb == "thinking":
        return (Think(argument), *words(f"thought: {argument}"))
    if verb == "role":
        return words(role_line(argument, heard.passages))
    if verb == "http":
        return (Refuse(int(argument)),)
    return words(argument)


def _said(label: str, result: str) -> tuple[Piece, ...]:
    return words(f"{label}: {result.strip()[:LONGEST_RESULT]}")


def words(text: str) -> tuple[Piece, ...]:
    """Text as a model would stream it, a word at a time; the pieces joined are the text."""
    return tuple(Say(word) for word in re.findall(r"\S+\s*|\s+", text)) or (Say("(empty)"),)


def role_line(sought: str, passages: Iterable[Passage]) -> str:
    """`role: WORD in system, …` for every mark found, or for the sought text; `role: none` when there is none."""
    found: dict[tuple[str, str], None] = {}
    for passage in passages:
        names = [sought] if sought and sought in passage.text else ROLE_MARK.findall(passage.text) if not sought else []
        found.update({(name, passage.where): None for name in names})
    return "role: " + (", ".join(f"{name} in {where}" for name, where in found) or "none")


def filled(schema: object) -> Any:
    """The plainest value a JSON schema accepts (types, enum, const, required, anyOf, minItems); for side requests."""
    if not isinstance(schema, dict):
        return "loopback"
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return filled(schema[choice][0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        properties = schema.get("properties", {})
        needed = schema["required"] if "required" in schema else list(properties)
        return {name: filled(properties.get(name, {})) for name in needed}
    if kind == "array":
        return [filled(schema.get("items", {})) for _ in range(int(schema.get("minItems", 0)))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": False, "null": None}.get(kind, "loopback")
