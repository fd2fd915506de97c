"""The size of the detector's view, which gives way on a slow machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.core.frame import view_size
from tracker_blur.core.state import incomparable

if TYPE_CHECKING:
    from tracker_blur.core.frame import Frame, Image
    from tracker_blur.core.state import State
    from tracker_blur.realtime.settings import LiveTiming
    from tracker_blur.tracking.scene_cuts import Change


class AdaptiveViewSize:
    """Reduces the size of the detector's view while frames take too long, and restores it.

    Args:
        view_px: Longest side, in pixels, that is wanted.
        period_seconds: The time between two frames.
        timing: The limits of the load.
    """

    def __init__(self, view_px: int, period_seconds: float, timing: LiveTiming) -> None:
        self._wanted_px = view_px
        self._period_seconds = period_seconds
        self._timing = timing
        self._step = 0
        self._load = 0.0
        self._frames_since_change = 0

    @property
    def view_px(self) -> int:
        """Longest side, in pixels, of the next view."""
        return round(self._wanted_px * self._timing.view_shares[self._step])

    def view(self, frame: Frame, _change: Change) -> Image:
        """Return the view of the next frame."""
        return frame.view(view_size(frame.size, self.view_px))

    def state(self) -> State:
        """Return what the next views depend on: on what frames cost."""
        return incomparable()

    def add_frame(self, seconds: float) -> None:
        """Add the time that a frame took."""
        timing = self._timing
        load = seconds / self._period_seconds
        self._load += timing.load_smoothing_share * (load - self._load)
        self._frames_since_change += 1
        if self._frames_since_change < timing.view_change_frames:
            return
        if self._load > timing.high_load and self._step + 1 < len(timing.view_shares):
            self._change(1)
        elif self._load < timing.low_load and self._step > 0:
            self._change(-1)

    def _change(self, by: int) -> None:
        self._step += by
        self._frames_since_change = 0
