"""The session's clock: what the timestamps of a source mean, whose own clock may drift or jump."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker_blur.realtime.settings import LiveTiming


class SessionClock:
    """Converts a source's timestamps to seconds since the session began.

    Timestamps are mapped so that the least delayed ones match their arrival. Items that jitter
    delays keep their distance to the others. A source whose clock is fast or slow is followed, a
    little at a time. After a jump, timestamps are mapped again.
    """

    def __init__(self, timing: LiveTiming) -> None:
        self._timing = timing
        self._offset: float | None = None  # from timestamps to the session's seconds
        self._last = -timing.frame_step_seconds
        self._drift = _SlowClock(timing)

    def restart(self) -> None:
        """Forget the mapping: the source was reconnected."""
        self._offset = None

    def seconds(self, timestamp: float | None, now: float) -> float:
        """Return the session's time of an item that arrives now; all in seconds."""
        if timestamp is None:
            return now
        offset = self._offset
        if offset is not None:
            offset += self._drift.made_up(now)
        if offset is None or now - timestamp - offset > self._timing.late_timestamp_seconds:
            offset = now - timestamp  # the first, or after a jump
            self._drift = _SlowClock(self._timing)
        self._offset = offset = min(offset, now - timestamp)
        self._drift.add_lateness(now - timestamp - offset)
        return timestamp + offset

    def audio_seconds(self, timestamp: float | None, now: float) -> float:
        """Return the same for audio, which is mapped as the frames are, however late it comes."""
        newest = now + self._timing.late_timestamp_seconds
        if timestamp is None or self._offset is None or timestamp + self._offset > newest:
            return self.seconds(timestamp, now)
        return timestamp + self._offset

    def frame_seconds(self, timestamp: float | None, now: float) -> float:
        """Return the same for a frame: always later than the previous one."""
        self._last = max(self.seconds(timestamp, now), self._last + self._timing.frame_step_seconds)
        return self._last


class _SlowClock:
    """Measures what a slow clock loses, and makes it up as slowly.

    It has lost something if all timestamps of the last while have come a little later than before.
    If they come much later, the way from the source has become longer, and may get shorter again.
    """

    def __init__(self, timing: LiveTiming) -> None:
        self._timing = timing
        self._window_start: float | None = None
        self._seen = 0.0
        self._least_late = math.inf
        self._way_seconds = 0.0  # what the way takes longer than it did at its shortest
        self._share = 0.0  # of the time, that is made up for

    def add_lateness(self, seconds: float) -> None:
        """Add by how much an item came later than the least delayed ones."""
        self._least_late = min(self._least_late, seconds)

    def made_up(self, now: float) -> float:
        """Return how many seconds were made up for since the last call."""
        if self._window_start is None:
            self._window_start = self._seen = now
        made_up = self._share * max(0.0, now - self._seen)
        self._seen = now
        window = self._timing.drift_window_seconds
        if now - self._window_start >= window and self._least_late < math.inf:
            lost = self._least_late - self._way_seconds
            if 0 <= lost <= self._timing.clock_drift_share * window:
                self._share = lost / window
            else:
                self._way_seconds, self._share = self._least_late, 0.0
            self._window_start, self._least_late = now, math.inf
        return made_up


class FasterThanRealtime:
    """Notices a source whose frames come faster than their timestamps say."""

    def __init__(self, timing: LiveTiming) -> None:
        self._timing = timing
        self._last: tuple[float, float] | None = None  # timestamp and arrival
        self._ahead_seconds = 0.0
        self._is_reported = False

    def is_first_early(self, timestamp: float | None, now: float) -> bool:
        """Return whether this frame, which arrives now, is the first that comes far too early.

        Both times are in seconds. Frames without a timestamp are ignored.
        """
        if timestamp is None or self._is_reported:
            return False
        if self._last is not None:
            step, passed = timestamp - self._last[0], now - self._last[1]
            step = step if abs(step) < self._timing.timestamp_jump_seconds else passed
            ahead = self._ahead_seconds + step - (1 + self._timing.drift_share) * passed
            self._ahead_seconds = max(0.0, ahead)
        self._last = timestamp, now
        self._is_reported = self._ahead_seconds > self._timing.too_fast_seconds
        return self._is_reported
