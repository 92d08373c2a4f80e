"""The outermost ASGI application: it guards the door, answers `/health` by itself, and loads the rest when asked.

FastAPI and pydantic are a third of the memory and most of the start of a gateway. An engine that looks whether its
gateways live asks `/health` alone, so a gateway that nobody has prompted yet has never loaded them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from reconciler.model.json import JsonMap
from reconciler.ports.gateway import BODY_MAX, PROTOCOL
from reconciler.servers.gateway.guard import Door

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Front:
    """`load` makes the application behind it; `begin` and `end` run when the server starts and stops."""

    def __init__(self, door: Door, load: Callable[[], App], begin: Callable[[], None], end: Callable[[], None]) -> None:
        self._door, self._load, self._begin, self._end = door, load, begin, end
        self._app: App | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._begin()
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.to_thread(self._end)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        denied = self._door.judge(scope["method"], scope["path"], headers)
        if denied is not None:
            await say(send, denied.status, denied.body)
        elif scope["path"] == "/health" and scope["method"] in ("GET", "HEAD"):
            await say(send, 200, {"protocol_version": PROTOCOL, "status": "ok"}, empty=scope["method"] == "HEAD")
        elif any(
            name == b"content-length" and (not value.isdigit() or int(value[:20]) > BODY_MAX) for name, value in headers
        ):
            await say(send, 413, {"detail": f"a request body has at most {BODY_MAX} bytes"})
        else:
            app = await self._loaded()
            await self._limited(app, scope, receive, send)

    async def _limited(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body first, up to the limit, and hand it on in one piece."""
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = bool(message.get("more_body"))
            if len(body) > BODY_MAX:
                await say(send, 413, {"detail": f"a request body has at most {BODY_MAX} bytes"})
                return
        handed = False

        async def whole() -> MutableMapping[str, Any]:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await app(scope, whole, send)

    async def _loaded(self) -> App:
        if self._app is None:
            async with self._loading:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._load)
        return self._app


async def say(send: Send, status: int, body: JsonMap, *, empty: bool = False) -> None:
    """One JSON answer."""
    data = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if empty else data})
