"""Server-sent events: what happens in a gateway, as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from reconciler.app.gateway.told import Told

BEAT_S = 15.0
"""A comment now and then tells proxies, and us, that the listener is still there."""


async def stream(told: Told, after: int, limit: int | None, gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """Every event with a number above `after`, for ever or for `limit` of them."""
    loop = asyncio.get_running_loop()
    bell = asyncio.Event()

    def ring() -> None:
        loop.call_soon_threadsafe(bell.set)

    end = told.listen(ring)
    sent = 0
    try:
        yield ": listening\n\n"
        while True:
            for event in told.after(after):
                after = event.number
                sent += 1
                yield f"id: {event.number}\nevent: {event.kind}\ndata: {json.dumps(event.body)}\n\n"
                if sent == limit:
                    return
            bell.clear()
            if told.after(after):
                continue
            try:
                await asyncio.wait_for(bell.wait(), BEAT_S)
            except TimeoutError:
                if await gone():
                    return
                yield ": beat\n\n"
    finally:
        end()
