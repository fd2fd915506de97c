"""Haste: notices pictures that are sent faster than they are to be shown."""

from __future__ import annotations

_MOST_SECONDS = 2.0  # ahead: a sender of live pictures may begin with some that it kept
_JUMP_SECONDS = 1.0  # between two stamps: the clock was set anew, and tells nothing


class Haste:
    """Compares the time stamps of pictures with the time at which they come."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None  # stamp, and when it came
        self._ahead_seconds = 0.0
        self._is_known = False

    def is_news(self, stamp: float | None, now: float) -> bool:
        """Return whether this picture, which comes now, is the first to come far too early.

        Both in seconds; a stamp of None tells nothing.
        """
        if stamp is None or self._is_known:
            return False
        if self._last is not None:
            step, passed = stamp - self._last[0], now - self._last[1]
            step = step if abs(step) < _JUMP_SECONDS else passed
            self._ahead_seconds = max(0.0, self._ahead_seconds + step - passed)
        self._last = stamp, now
        self._is_known = self._ahead_seconds > _MOST_SECONDS
        return self._is_known
