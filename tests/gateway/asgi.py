"""Ask an ASGI application by hand, so that headers no client library would send can be sent."""

import asyncio
import json
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from reconciler.servers.gateway.front import Front

Message = MutableMapping[str, Any]


class Answer(NamedTuple):
    """Status and whole body."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    front: Front, method: str, target: str, body: bytes, headers: Mapping[str, str] | Sequence[tuple[str, str]]
) -> Answer:
    """One request; the body comes in two pieces."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path, errors="replace"),
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8123),
    }
    half = len(body) // 2
    pieces = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    said: list[Message] = []

    async def receive() -> Message:
        if pieces:
            return pieces.pop(0)
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(asyncio.wait_for(front(scope, receive, send), 60))
    whole = b"".join(message.get("body", b"") for message in said if message["type"] == "http.response.body")
    return Answer(said[0]["status"], whole)


def websocket(front: Front) -> list[Message]:
    """What somebody is told who opens a websocket."""
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(front({"type": "websocket", "path": "/", "headers": []}, receive, send))
    return said
