"""One module per vendor protocol: read a request, say the pieces of an answer as frames.

The four functions every module has are `Wire`. Frames are bytes to be written at once, or the pieces that ask for
patience (`Wait`, `Stall`), which the server honours since it knows when the client went away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from tests.loopback.grammar import Call, Heard, JsonObject, Passage, Piece, Say, Stall, Think, Wait

Frame = bytes | Wait | Stall


class Request(NamedTuple):
    """One model request, protocol taken off."""

    heard: Heard
    model: str
    stream: bool
    tools: tuple[str, ...]
    schema: JsonObject | None = None
    """The JSON schema the answer must follow: titles, routing and other side requests."""
    count_only: bool = False


class Wire(Protocol):
    """A vendor protocol. Implemented by modules."""

    def read(self, path: str, body: JsonObject) -> Request: ...

    def frames(self, request: Request, pieces: Sequence[Piece], serial: int) -> Iterator[Frame]: ...

    def whole(self, request: Request, pieces: Sequence[Piece], serial: int) -> JsonObject: ...

    def error(self, status: int, text: str) -> JsonObject: ...


def heard(prompts: Sequence[str], result: str | None, passages: Sequence[Passage]) -> Heard:
    return Heard(prompts[-1] if prompts else "", result, tuple(passages), tuple(prompts[:-1]))


def tokens(text: str) -> int:
    """A count that grows with the text; four characters a token."""
    return max(1, len(text) // 4)


def spoken(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Say))


def merged(pieces: Sequence[Piece]) -> list[Say | Think | Call]:
    """What lasts of an answer: neighbouring words made one text, waits left out."""
    parts: list[Say | Think | Call] = []
    for piece in pieces:
        last = parts[-1] if parts else None
        if isinstance(piece, Say) and isinstance(last, Say):
            parts[-1] = Say(last.text + piece.text)
        elif isinstance(piece, Think) and isinstance(last, Think):
            parts[-1] = Think(last.text + piece.text)
        elif isinstance(piece, (Say, Think, Call)):
            parts.append(piece)
    return parts


def called(pieces: Sequence[Piece]) -> bool:
    return any(isinstance(piece, Call) for piece in pieces)


def sse(payload: JsonObject, event: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(payload)}\n\n".encode()


def text_of(content: object) -> str:
    """The text of a tool result, whichever of the usual shapes it has; JSON when it has none of them."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(text_of(part) for part in content)
    if isinstance(content, dict):
        for key in ("text", "output", "content", "error"):
            if key in content:
                return text_of(content[key])
    return json.dumps(content)
