"""A place for one thing between two threads: the newest wins."""

from __future__ import annotations

import threading
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
