"""OpenAI Responses: `POST /v1/responses`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tests.loopback.grammar import Call, JsonObject, Passage, Piece, Say, Stall, Think, Wait, taken_apart
from tests.loopback.wires import Frame, Request, heard, merged, spoken, sse, text_of, tokens

SHELLS = ("exec_command", "shell_command", "shell", "local_shell")
"""Names of the shell tool, newest first; the one the request offers is called."""


def read(path: str, body: JsonObject) -> Request:
    prompts: list[str] = []
    result: str | None = None
    passages = [Passage("system", body["instructions"])] if body.get("instructions") else []
    items = body.get("input") or ()
    for item in [{"type": "message", "role": "user", "content": items}] if isinstance(items, str) else items:
        if str(item.get("type", "")).endswith("_call_output"):
            result = text_of(item.get("output"))
        elif item.get("type", "message") == "message" and item.get("role") in ("system", "developer", "user"):
            text = text_of(item.get("content") or "")
            typed, rest = taken_apart(text) if item["role"] == "user" else ("", text)
            if rest:
                passages.append(Passage(item["role"], rest))
            if typed:
                prompts.append(typed)
                result = None
    form = (body.get("text") or {}).get("format") or {}
    return Request(
        heard=heard(prompts, result, passages),
        model=str(body.get("model", "")),
        stream=body.get("stream") is True,
        tools=_tools(body.get("tools") or ()),
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
    )


def _tools(offered: Sequence[JsonObject]) -> tuple[str, ...]:
    """Tool names; those inside a namespace as `namespace__name`."""
    names: list[str] = []
    for tool in offered:
        if tool.get("type") == "namespace":
            names += [f"{tool.get('name')}__{inner.get('name')}" for inner in tool.get("tools") or ()]
        else:
            names.append(str(tool.get("name") or tool.get("type")))
    return tuple(names)


def _item(part: Say | Think | Call, request: Request, identity: str) -> JsonObject:
    if isinstance(part, Say):
        content = [{"type": "output_text", "text": part.text, "annotations": []}]
        return {
            "type": "message",
            "id": f"msg_{identity}",
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
    if isinstance(part, Think):
        return {"type": "reasoning", "id": f"rs_{identity}", "summary": [{"type": "summary_text", "text": part.text}]}
    item: JsonObject = {"type": "function_call", "id": f"fc_{identity}", "call_id": f"call_{identity}"}
    name, arguments = part.tool or "", dict(part.arguments)
    if part.tool is None:
        name = next((shell for shell in SHELLS if shell in request.tools), SHELLS[0])
        command = str(part.arguments["command"])
        arguments = {
            "exec_command": {"cmd": command},
            "shell_command": {"command": command},
        }.get(name, {"command": ["bash", "-lc", command]})
    elif name.startswith("mcp__") and name.count("__") >= 2:
        # MCP tools are offered inside a namespace, with plain names.
        space, name = name.rsplit("__", 1)
        item["namespace"] = space
    return item | {"name": name, "arguments": json.dumps(arguments), "status": "completed"}


def _response(request: Request, pieces: Sequence[Piece], serial: int, status: str) -> JsonObject:
    done = status == "completed"
    parts = merged(pieces) if done else []
    asked, said = tokens(request.heard.prompt), tokens(spoken(pieces))
    return {
        "id": f"resp_loopback{serial:06d}",
        "object": "response",
        "created_at": 0,
        "model": request.model,
        "status": status,
        "output": [_item(part, request, f"{serial:06d}{index}") for index, part in enumerate(parts)],
        "usage": {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked + said,
        }
        if done
        else None,
    }


def frames(request: Request, pieces: Sequence[Piece], serial: int) -> Iterator[Frame]:
    count = 0

    def event(kind: str, **fields: object) -> bytes:
        nonlocal count
        count += 1
        return sse({"type": kind, "sequence_number": count - 1, **fields}, kind)

    def started(part: Say | Think | Call) -> Iterator[Frame]:
        item = _item(part, request, f"{serial:06d}{index}")
        hollow = {"content": [], "summary": [], "arguments": "", "status": "in_progress"}
        start = {key: hollow.get(key, value) for key, value in item.items()}
        yield event("response.output_item.added", output_index=index, item=start)
        here = {"item_id": item["id"], "output_index": index}
        if isinstance(part, Say):
            empty = {"type": "output_text", "text": "", "annotations": []}
            yield event("response.content_part.added", **here, content_index=0, part=empty)
        elif isinstance(part, Think):
            empty = {"type": "summary_text", "text": ""}
            yield event("response.reasoning_summary_part.added", **here, summary_index=0, part=empty)

    def ended(part: Say | Think | Call) -> Iterator[Frame]:
        item = _item(part, request, f"{serial:06d}{index}")
        here = {"item_id": item["id"], "output_index": index}
        if isinstance(part, Say):
            yield event("response.output_text.done", **here, content_index=0, text=part.text)
            yield event("response.content_part.done", **here, content_index=0, part=item["content"][0])
        elif isinstance(part, Think):
            yield event("response.reasoning_summary_text.done", **here, summary_index=0, text=part.text)
            yield event("response.reasoning_summary_part.done", **here, summary_index=0, part=item["summary"][0])
        else:
            yield event("response.function_call_arguments.done", **here, arguments=item["arguments"])
        yield event("response.output_item.done", output_index=index, item=item)

    yield event("response.created", response=_response(request, pieces, serial, "in_progress"))
    index, open_part = -1, None
    for piece in pieces:
        if isinstance(piece, (Wait, Stall)):
            yield piece
            continue
        if not isinstance(piece, (Say, Think, Call)):
            continue
        if isinstance(piece, Say) and isinstance(open_part, Say):
            open_part = Say(open_part.text + piece.text)
        elif isinstance(piece, Think) and isinstance(open_part, Think):
            open_part = Think(open_part.text + piece.text)
        else:
            if open_part is not None:
                yield from ended(open_part)
            index, open_part = index + 1, piece
            yield from started(piece)
        here = {"output_index": index}
        if isinstance(piece, Say):
            item_id = f"msg_{serial:06d}{index}"
            yield event("response.output_text.delta", item_id=item_id, **here, content_index=0, delta=piece.text)
        elif isinstance(piece, Think):
            item_id = f"rs_{serial:06d}{index}"
            yield event(
                "response.reasoning_summary_text.delta", item_id=item_id, **here, summary_index=0, delta=piece.text
            )
    if open_part is not None:
        yield from ended(open_part)
    yield event("response.completed", response=_response(request, pieces, serial, "completed"))


def whole(request: Request, pieces: Sequence[Piece], serial: int) -> JsonObject:
    return _response(request, pieces, serial, "completed")


def error(status: int, text: str) -> JsonObject:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": text, "type": kind, "code": f"loopback_{status}", "param": None}}
