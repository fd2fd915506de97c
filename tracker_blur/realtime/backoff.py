"""Pauses that grow, between attempts at something that keeps failing."""

from __future__ import annotations

_FIRST_SECONDS, _LONGEST_SECONDS = 0.25, 10.0
_WELL_SECONDS = 10.0  # what ran for so long begins with short pauses again


class Pauses:
    """Says how long to wait after each failure."""

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def next_after(self, ran_seconds: float) -> float:
        """Return how many seconds to wait after what has run for so long."""
        if ran_seconds >= _WELL_SECONDS:
            self._next = _FIRST_SECONDS
        pause, self._next = self._next, min(_LONGEST_SECONDS, 2 * self._next)
        return pause
