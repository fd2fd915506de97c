"""Events that all open pages get, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MAX_WAITING = 1000
_KEEP_ALIVE_SECONDS = 15.0


class EventHub:
    """Passes events from any thread on to all pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: set[_Subscriber] = set()
        self._is_closed = False

    def publish(self, event: str, data: dict[str, Any]) -> None:
        """Send an event to all pages.

        Args:
            event: Its name.
            data: What JSON can hold.
        """
        text = f"event: {event}\ndata: {json.dumps(data)}\n\n"
        with self._lock:
            for subscriber in self._subscribers:
                subscriber.put(text)

    def close(self) -> None:
        """End all streams, now and later."""
        with self._lock:
            self._is_closed = True
            for subscriber in self._subscribers:
                subscriber.put(None)

    async def stream(self) -> AsyncIterator[str]:
        """Yield all events from now on, and a comment now and then, which shows who has gone."""
        subscriber = _Subscriber()
        with self._lock:
            if self._is_closed:
                return
            self._subscribers.add(subscriber)
        try:
            yield "retry: 1000\n\n"
            while (text := await subscriber.next()) is not None:
                yield text
        finally:
            with self._lock:
                self._subscribers.discard(subscriber)


class _Subscriber:
    """What one page has not read yet. A page that is too slow is ended; it connects again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._count = 0

    def put(self, text: str | None) -> None:
        """Add an event, from any thread; None: the end."""
        self._count += 1
        if self._count > _MAX_WAITING:
            text = None
        with suppress(RuntimeError):  # the server has stopped
            self._loop.call_soon_threadsafe(self._waiting.put_nowait, text)

    async def next(self) -> str | None:
        """Return the next event; None at the end."""
        try:
            text = await asyncio.wait_for(self._waiting.get(), _KEEP_ALIVE_SECONDS)
        except TimeoutError:
            return ": nothing new\n\n"
        self._count -= 1
        return text
