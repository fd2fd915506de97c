"""Between threads: the newest item, pauses between retries, callbacks that never fail."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.realtime.settings import LiveTiming

T = TypeVar("T")


class Latest(Generic[T]):
    """A slot for one item that a newer item replaces. Nothing is queued.

    Attributes:
        dropped_count: How many items were replaced before they were taken.
    """

    def __init__(self) -> None:
        self._item: T | None = None
        self._is_closed = False
        self._changed = threading.Condition()
        self.dropped_count = 0

    @property
    def is_closed(self) -> bool:
        """Whether no new item will be put."""
        return self._is_closed

    def put(self, item: T) -> None:
        """Put an item in the place of an older one."""
        with self._changed:
            self.dropped_count += self._item is not None
            self._item = item
            self._changed.notify()

    def take(self, timeout_seconds: float | None = None) -> T | None:
        """Wait for an item and take it; return None after the timeout or when it is closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._item is not None or self._is_closed, timeout_seconds
            )
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wake all who wait; no new item will be put."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


class Backoff:
    """The pauses between retries: they double after each failure, up to a limit."""

    def __init__(self, timing: LiveTiming) -> None:
        self._timing = timing
        self._next = timing.first_retry_seconds

    def next_pause(self, ran_seconds: float) -> float:
        """Return how many seconds to wait after something that ran for this long failed."""
        if ran_seconds >= self._timing.retry_reset_seconds:
            self._next = self._timing.first_retry_seconds
        pause = self._next
        self._next = min(self._timing.longest_retry_seconds, 2 * self._next)
        return pause


def unfailing(report: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that reports in the same way and never raises, as when a disk is full."""

    def report_unless_it_fails(text: str) -> None:
        with suppress(Exception):
            report(text)

    return report_unless_it_fails
