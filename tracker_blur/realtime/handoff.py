"""A place for one thing between two threads: the newest wins.

Pauses that grow, between attempts at something that keeps failing.

Telling a user something, from threads that have more to do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds what was put last until it is taken; nothing is ever queued.

    put_count      how many things were put
    dropped_count  how many of them were replaced by a newer one before they were taken
    """

    def __init__(self) -> None:
        self._item: T | None = None
        self._is_closed = False
        self._changed = threading.Condition()
        self.put_count = 0
        self.dropped_count = 0

    @property
    def is_closed(self) -> bool:
        """Whether nothing new will be put."""
        return self._is_closed

    def put(self, item: T) -> None:
        """Put a thing in the place of an older one."""
        with self._changed:
            self.put_count += 1
            self.dropped_count += self._item is not None
            self._item = item
            self._changed.notify()

    def take(self, timeout_seconds: float | None = None) -> T | None:
        """Wait for a thing and take it; None when none came in time, or none will."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._item is not None or self._is_closed, timeout_seconds
            )
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


_FIRST_SECONDS, _LONGEST_SECONDS = 0.25, 10.0
_WELL_SECONDS = 10.0  # what ran for so long begins with short pauses again


class Backoff:
    """Says how long to wait after each failure."""

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def next_after(self, ran_seconds: float) -> float:
        """Return how many seconds to wait after what has run for so long."""
        if ran_seconds >= _WELL_SECONDS:
            self._next = _FIRST_SECONDS
        pause, self._next = self._next, min(_LONGEST_SECONDS, 2 * self._next)
        return pause


def unfailing(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that tells, too, and raises nothing, as where a disk is full."""

    def told(text: str) -> None:
        with suppress(Exception):
            tell(text)

    return told
