"""Anthropic Messages: `POST /v1/messages`, `POST /v1/messages/count_tokens`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tests.loopback.grammar import Call, JsonObject, Passage, Piece, Say, Stall, Think, Wait, taken_apart
from tests.loopback.wires import Frame, Request, called, heard, merged, spoken, sse, text_of, tokens

SHELL = "Bash"


def read(path: str, body: JsonObject) -> Request:
    prompts: list[str] = []
    result: str | None = None
    passages = [Passage("system", text) for text in _texts(body.get("system"))]
    for message in body.get("messages", ()):
        if message.get("role") == "system":
            passages += [Passage("system", text) for text in _texts(message.get("content"))]
        if message.get("role") != "user":
            continue
        content = message.get("content")
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
            if part.get("type") == "tool_result":
                result = text_of(part.get("content"))
            elif part.get("type") == "text":
                typed, envelopes = taken_apart(part["text"])
                if envelopes:
                    passages.append(Passage("user", envelopes))
                if typed:
                    prompts.append(typed)
                    result = None
    schema = ((body.get("output_config") or {}).get("format") or body.get("output_format") or {}).get("schema")
    return Request(
        heard=heard(prompts, result, passages),
        model=str(body.get("model", "")),
        stream=body.get("stream") is True,
        tools=tuple(str(tool.get("name")) for tool in body.get("tools") or ()),
        schema=schema,
        count_only=path.endswith("/count_tokens"),
    )


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(part["text"]) for part in content if "text" in part] if isinstance(content, list) else []


def _usage(request: Request, pieces: Sequence[Piece]) -> JsonObject:
    return {"input_tokens": tokens(request.heard.prompt), "output_tokens": tokens(spoken(pieces))}


def _message(request: Request, serial: int) -> JsonObject:
    return {
        "id": f"msg_loopback{serial:06d}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": tokens(request.heard.prompt), "output_tokens": 1},
    }


def _block(part: Say | Think | Call, identity: str) -> JsonObject:
    if isinstance(part, Say):
        return {"type": "text", "text": part.text}
    if isinstance(part, Think):
        return {"type": "thinking", "thinking": part.text, "signature": "bG9vcGJhY2s="}
    # Its shell tool wants to be told what the command is for.
    arguments = dict(part.arguments) | ({"description": "a scripted call"} if part.tool is None else {})
    return {"type": "tool_use", "id": f"toolu_{identity}", "name": part.tool or SHELL, "input": arguments}


def _event(kind: str, **fields: object) -> bytes:
    return sse({"type": kind, **fields}, kind)


def frames(request: Request, pieces: Sequence[Piece], serial: int) -> Iterator[Frame]:
    yield _event("message_start", message=_message(request, serial))
    index, last = -1, ""
    block: JsonObject = {}
    for piece in pieces:
        if isinstance(piece, (Wait, Stall)):
            yield piece
            continue
        if isinstance(piece, (Say, Think, Call)) and (type(piece).__name__ != last or isinstance(piece, Call)):
            if index >= 0:
                yield _event("content_block_stop", index=index)
            index, last = index + 1, type(piece).__name__
            block = _block(piece, f"{serial:06d}{index}")
            hollow = {"text": "", "thinking": "", "signature": "", "input": {}}
            start = {key: hollow.get(key, value) for key, value in block.items()}
            yield _event("content_block_start", index=index, content_block=start)
        if isinstance(piece, Say):
            yield _event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece.text})
        elif isinstance(piece, Think):
            yield _event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": piece.text})
            signed = {"type": "signature_delta", "signature": "bG9vcGJhY2s="}
            yield _event("content_block_delta", index=index, delta=signed)
        elif isinstance(piece, Call):
            partial = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            yield _event("content_block_delta", index=index, delta=partial)
    if index >= 0:
        yield _event("content_block_stop", index=index)
    stop = {"stop_reason": "tool_use" if called(pieces) else "end_turn", "stop_sequence": None}
    yield _event("message_delta", delta=stop, usage=_usage(request, pieces))
    yield _event("message_stop")


def whole(request: Request, pieces: Sequence[Piece], serial: int) -> JsonObject:
    if request.count_only:
        return {"input_tokens": tokens(request.heard.prompt)}
    return _message(request, serial) | {
        "content": [_block(part, f"{serial:06d}{index}") for index, part in enumerate(merged(pieces))],
        "stop_reason": "tool_use" if called(pieces) else "end_turn",
        "usage": _usage(request, pieces),
    }


def error(status: int, text: str) -> JsonObject:
    kinds = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": text}}
