"""SessionClock: one time that only rises, whatever the time stamps of a source do."""

from __future__ import annotations

_LATEST_SECONDS = 1.0  # a stamp that lies further off was made by a clock set anew
_STEP_SECONDS = 0.001  # between pictures whose stamps say they are not later than the last


class SessionClock:
    """Turns a source's time stamps into seconds since the session began.

    Stamps are laid on the session's time so that the promptest of them fall on their arrival: what
    comes late by jitter keeps its distance to the others. When stamps jump, they are laid anew.
    """

    def __init__(self) -> None:
        self._offset: float | None = None  # from stamps to the session's seconds
        self._last = -_STEP_SECONDS

    def restart(self) -> None:
        """Forget how stamps lie: the source is another, or was connected anew."""
        self._offset = None

    def seconds(self, stamp: float | None, now: float) -> float:
        """Return when what is stamped so, and arrives now, is; both in seconds."""
        if stamp is None:
            return now
        is_jump = self._offset is None or stamp + self._offset < now - _LATEST_SECONDS
        if is_jump or stamp + (self._offset or 0.0) > now:
            self._offset = now - stamp
        return stamp + (self._offset or 0.0)

    def sound_seconds(self, stamp: float | None, now: float) -> float:
        """Return the same for sound, which lies as the pictures do, however late it comes."""
        if stamp is None or self._offset is None or stamp + self._offset > now + _LATEST_SECONDS:
            return self.seconds(stamp, now)
        return stamp + self._offset

    def picture_seconds(self, stamp: float | None, now: float) -> float:
        """Return the same for a picture: always later than the one before."""
        self._last = max(self.seconds(stamp, now), self._last + _STEP_SECONDS)
        return self._last
