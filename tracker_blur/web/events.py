"""Events that all open pages get, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_MAX_WAITING = 1000
_KEEP_ALIVE_SECONDS = 15.0

RETRY = "retry: 1000\n\n"
"""Begins a stream: a client that loses it connects again after a second."""

KEEP_ALIVE = ": nothing new\n\n"
"""Shows which clients have gone."""


class Event(NamedTuple):
    """Something that has changed.

    Attributes:
        name: What kind of change.
        data: What JSON can hold.
    """

    name: str
    data: dict[str, Any]

    def __str__(self) -> str:
        """Return it as a server-sent event."""
        return f"event: {self.name}\ndata: {json.dumps(self.data, allow_nan=False)}\n\n"


class EventHub:
    """Passes events from any thread on to all pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: set[Subscriber] = set()
        self._is_closed = False

    def publish(self, event: str, data: dict[str, Any]) -> None:
        """Send an event to all pages.

        Args:
            event: Its name.
            data: What JSON can hold.
        """
        with self._lock:
            for subscriber in self._subscribers:
                subscriber.put(Event(event, data))

    def close(self) -> None:
        """End all streams, now and later."""
        with self._lock:
            self._is_closed = True
            for subscriber in self._subscribers:
                subscriber.put(None)

    @contextmanager
    def subscribed(self) -> Iterator[Subscriber]:
        """Yield what reads all events from now on, in the event loop of a server."""
        subscriber = Subscriber()
        with self._lock:
            if self._is_closed:
                subscriber.put(None)
            self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            with self._lock:
                self._subscribers.discard(subscriber)

    async def stream(self) -> AsyncIterator[str]:
        """Yield all events from now on, and comments, which show which clients have gone."""
        with self.subscribed() as subscriber:
            yield RETRY
            async for event in subscriber:
                yield KEEP_ALIVE if event is None else str(event)


class Subscriber:
    """What one client has not read yet. One that is too slow is ended; it connects again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[Event | None] = asyncio.Queue()
        self._count = 0

    def put(self, event: Event | None) -> None:
        """Add an event, from any thread; None: the end."""
        self._count += 1
        if self._count > _MAX_WAITING:
            event = None
        with suppress(RuntimeError):  # the server has stopped
            self._loop.call_soon_threadsafe(self._waiting.put_nowait, event)

    def __aiter__(self) -> Subscriber:
        """Return itself."""
        return self

    async def __anext__(self) -> Event | None:
        """Return the next event; None: there was none for a while."""
        try:
            event = await asyncio.wait_for(self._waiting.get(), _KEEP_ALIVE_SECONDS)
        except TimeoutError:
            return None
        if event is None:
            raise StopAsyncIteration
        self._count -= 1
        return event
