"""Google GenAI: `POST /v1beta/models/<model>:streamGenerateContent | :generateContent | :countTokens`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.loopback.grammar import Call, JsonObject, Passage, Piece, Say, Stall, Think, Wait, taken_apart
from tests.loopback.wires import Frame, Request, heard, merged, spoken, sse, text_of, tokens

SHELL = "run_shell_command"


def read(path: str, body: JsonObject) -> Request:
    prompts: list[str] = []
    result: str | None = None
    system = body.get("systemInstruction") or body.get("system_instruction") or {}
    passages = [Passage("system", text) for text in _texts(system)]
    for content in body.get("contents") or ():
        if content.get("role", "user") != "user":
            continue
        for part in content.get("parts") or ():
            if "functionResponse" in part:
                result = text_of(part["functionResponse"].get("response"))
            elif part.get("text"):
                typed, envelopes = taken_apart(part["text"])
                if envelopes:
                    passages.append(Passage("user", envelopes))
                if typed:
                    prompts.append(typed)
                    result = None
    config = body.get("generationConfig") or {}
    wants_json = config.get("responseMimeType") == "application/json"
    model, _, method = path.rpartition("/")[2].partition(":")
    offered = [tool for group in body.get("tools") or () for tool in group.get("functionDeclarations") or ()]
    return Request(
        heard=heard(prompts, result, passages),
        model=model,
        stream=method == "streamGenerateContent",
        tools=tuple(str(tool.get("name")) for tool in offered),
        schema=(config.get("responseJsonSchema") or config.get("responseSchema") or {}) if wants_json else None,
        count_only=method == "countTokens",
    )


def _texts(content: JsonObject | str) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(part["text"]) for part in content.get("parts") or () if part.get("text")]


def _part(part: Say | Think | Call) -> JsonObject:
    if isinstance(part, Say):
        return {"text": part.text}
    if isinstance(part, Think):
        return {"text": part.text, "thought": True}
    arguments = dict(part.arguments) | ({"description": "a scripted call"} if part.tool is None else {})
    return {"functionCall": {"name": part.tool or SHELL, "args": arguments}}


def _chunk(request: Request, parts: Sequence[JsonObject], serial: int, pieces: Sequence[Piece] | None) -> JsonObject:
    """A piece of an answer; the last one (which is given all the pieces) says why it ended and what it cost."""
    candidate: JsonObject = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    chunk: JsonObject = {
        "candidates": [candidate],
        "modelVersion": request.model,
        "responseId": f"loopback{serial:06d}",
    }
    if pieces is not None:
        candidate["finishReason"] = "STOP"
        asked, said = tokens(request.heard.prompt), tokens(spoken(pieces))
        chunk["usageMetadata"] = {
            "promptTokenCount": asked,
            "candidatesTokenCount": said,
            "totalTokenCount": asked + said,
        }
    return chunk


def frames(request: Request, pieces: Sequence[Piece], serial: int) -> Iterator[Frame]:
    for piece in pieces:
        if isinstance(piece, (Wait, Stall)):
            yield piece
        elif isinstance(piece, (Say, Think, Call)):
            yield sse(_chunk(request, [_part(piece)], serial, None))
    yield sse(_chunk(request, [{"text": ""}], serial, pieces))


def whole(request: Request, pieces: Sequence[Piece], serial: int) -> JsonObject:
    if request.count_only:
        return {"totalTokens": tokens(request.heard.prompt)}
    return _chunk(request, [_part(part) for part in merged(pieces)], serial, pieces)


def error(status: int, text: str) -> JsonObject:
    names = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}
    return {"error": {"code": status, "message": text, "status": names.get(status, "INTERNAL")}}
