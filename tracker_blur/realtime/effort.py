"""How closely pictures are looked at, so that looking keeps up with them."""

from __future__ import annotations

_STEPS = (1.0, 0.75, 0.5)  # of the size that is wanted; below, a face is too small to be found
_SHARE = 0.1  # of the newest measurement in the smoothed load
_TOO_MUCH, _LITTLE = 0.95, 0.45  # of the time there is for a frame
_SETTLED_FRAMES = 30  # between two changes: each costs a look at another size


class Effort:
    """Lowers the size of the view while frames take longer than there is time, and raises it again.

    view_px         longest side, in pixels, that is wanted
    period_seconds  the time there is for a frame
    """

    def __init__(self, view_px: int, period_seconds: float) -> None:
        self._wanted_px = view_px
        self._period_seconds = period_seconds
        self._step = 0
        self._load = 0.0
        self._settled = 0

    @property
    def view_px(self) -> int:
        """Longest side, in pixels, at which the next picture is to be looked at."""
        return round(self._wanted_px * _STEPS[self._step])

    def spent(self, seconds: float) -> None:
        """Learn how long a frame took."""
        load = seconds / self._period_seconds
        self._load += _SHARE * (load - self._load)
        self._settled += 1
        if self._settled < _SETTLED_FRAMES:
            return
        if self._load > _TOO_MUCH and self._step + 1 < len(_STEPS):
            self._change(1)
        elif self._load < _LITTLE and self._step > 0:
            self._change(-1)

    def _change(self, by: int) -> None:
        self._step += by
        self._settled = 0
