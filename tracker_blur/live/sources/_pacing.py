"""Gives what comes faster than it is to be shown, each at its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

from tracker_blur.live.sources import Item

_LONGEST_WAIT_SECONDS = 10.0  # a stamp that lies further ahead is a mistake


def paced(items: Iterable[Item], stopping: threading.Event) -> Iterator[Item]:
    """Give items when they are due by their stamps, until `stopping` is set.

    What is late already is given at once, and what follows it keeps its distance to that.
    """
    start: float | None = None
    for item in items:
        now = time.monotonic()
        if item.stamp is not None:
            if start is None or not 0 <= start + item.stamp - now < _LONGEST_WAIT_SECONDS:
                start = now - item.stamp
            if stopping.wait(start + item.stamp - now):
                return
        yield item
