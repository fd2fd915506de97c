"""Waiting for a condition, however busy the machine is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 120.0
"""Longer than anything takes on a machine that works; what hangs still fails."""

_POLL_SECONDS = 0.02

Answer = TypeVar("Answer")


def until(ask: Callable[[], Answer], seconds: float = PATIENCE_SECONDS) -> Answer:
    """Ask until the answer is true, and return it; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"still {answer!r} after {seconds:.0f} seconds"
        time.sleep(_POLL_SECONDS)
    return answer
