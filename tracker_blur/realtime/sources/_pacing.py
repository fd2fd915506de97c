"""Gives what comes faster than it is to be shown, each at its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

from tracker_blur.realtime.sources import Heard, Item

_LONGEST_WAIT_SECONDS = 10.0  # a stamp that lies further ahead is a mistake
_LATEST_SECONDS = 1.0  # what is later than that was held up, and is not caught up with


def paced(items: Iterable[Item], stopping: threading.Event) -> Iterator[Item]:
    """Give items when they are due by their stamps, until `stopping` is set.

    What is late is given at once, and what follows it at its own time: small delays must not add
    up. After a long one the pictures that follow keep their distance to the late one; sound that is
    late lies behind its pictures in the file, and changes nothing.
    """
    start: float | None = None
    for item in items:
        now = time.monotonic()
        if item.stamp is not None:
            wait = 0.0 if start is None else start + item.stamp - now
            is_late_sound = wait < 0 and isinstance(item, Heard)
            is_fair = -_LATEST_SECONDS <= wait < _LONGEST_WAIT_SECONDS
            if start is None or not (is_fair or is_late_sound):
                start, wait = now - item.stamp, 0.0
            if stopping.wait(max(0.0, wait)):
                return
        yield item
