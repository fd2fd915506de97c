"""The detection schedule: every Nth frame, or as costs and motion demand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from tracker_blur.core.state import incomparable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.parameters import ScheduleParameters
    from tracker_blur.core.state import State

_JITTER_FRAMES = 0.1  # containers round times


def long_interval_frames(
    every_frames: int | Literal["auto"], rate: float, parameters: ScheduleParameters
) -> int:
    """Return a schedule's interval in frames if it is longer than `max_interval_seconds`, else 0.

    The arguments are those of `DetectionSchedule`.
    """
    longest = rate * parameters.max_interval_seconds
    if longest < 1:
        return 1
    return 0 if every_frames == "auto" or every_frames <= longest else every_frames


class DetectionSchedule:
    """Decides which frames are detection frames; with "auto" it adapts their interval, N.

    Detecting on every Nth frame and tracking on the others costs, for each frame,
    (detection + (N - 1) tracking) / N, which is least at one of the ends. So "auto" detects on
    every frame where that costs no more than tracking the faces. Elsewhere it detects as seldom as
    the faces' motion, and new faces, allow.

    Unless N depends on what is measured, detection frames follow the clock, not the first frame:
    a tracker that begins later soon detects on the same frames.

    Where frames are far apart in time, a face may be in only one of them. Then N is 1, whatever
    was asked for. That is so in a time lapse, or live on a slow machine. Where they are farther
    apart than the rate says, N frames become fewer, so that the interval stays as long in time.

    Where the frames between are left out, they are interpolated. While nothing was missed and no
    face appeared for a while, and none is fast, the interval is then as long as a new face may
    wait, if N is less.

    Args:
        every_frames: N, or "auto".
        rate: Frames per second.
        parameters: Tuning parameters.
        leaves_out: Whether the frames between are left out.
    """

    def __init__(
        self,
        every_frames: int | Literal["auto"],
        rate: float,
        parameters: ScheduleParameters,
        *,
        leaves_out: bool = False,
    ) -> None:
        self._auto = every_frames == "auto"
        self._leaves_out = leaves_out
        self._rate = rate
        self._parameters = parameters
        longest = max(1, int(parameters.max_interval_seconds * rate))
        self._longest = min(parameters.max_interval_frames, longest)
        is_slow = rate * parameters.max_interval_seconds < 1
        if every_frames != "auto":
            self.every_frames = 1 if is_slow else every_frames
        else:
            usual = min(longest, parameters.unmeasured_interval_frames)
            self.every_frames = usual if leaves_out else 1
        # Who wants the detector on every frame gets that.
        self._calm_frames = longest if leaves_out and every_frames != 1 else 0
        self._is_fast = False
        self._last_restless_seconds = -math.inf
        self._detection_cost = 0.0
        self._tracking_cost = 0.0
        self._since_detection = 0
        self._last_seconds = self._last_detection_seconds = -math.inf
        self._eager_frames = 0
        self._last_number: int | None = None  # of the last detection frame, by the clock
        self.restart()

    def restart(self) -> None:
        """Detect on each of the next frames: a new scene begins."""
        self._eager_frames = self._parameters.after_cut_frames

    def hurry(self) -> None:
        """Detect on the next frame too: a face appeared or was missed, or the camera was jerked."""
        self._eager_frames = max(1, self._eager_frames)

    def is_due(self, seconds: float) -> bool:
        """Return whether the frame of this time is a detection frame; call it once per frame."""
        self._since_detection += 1
        if self._eager_frames:
            self._last_restless_seconds = seconds
        every = self._interval(seconds)
        last = self._last_detection_seconds if self._auto else self._last_seconds
        number = round(seconds * self._rate) if self._follows_clock else None
        due = (
            self._eager_frames > 0
            or self._since_detection >= every
            or self._is_next_interval(number, every)
            or seconds - last > self._parameters.max_interval_seconds
            or (self._follows_clock and self._would_be_late(seconds, every))
        )
        self._last_seconds = seconds
        if due:
            self._since_detection = 0
            self._last_detection_seconds = seconds
            self._last_number = number
        self._eager_frames = max(0, self._eager_frames - 1)
        return due

    def detected(self, cost_seconds: float, speeds: Sequence[float]) -> None:
        """Learn what a detection cost, and the speeds of the faces in face sizes per second."""
        self._detection_cost = self._averaged(self._detection_cost, cost_seconds)
        fastest = max(speeds, default=0.0)
        travel = fastest * self._calm_frames / self._rate
        self._is_fast = travel > self._parameters.max_travel_sizes
        if self._auto and not self._leaves_out:
            self.every_frames = self._best_interval(fastest)

    def tracked(self, cost_seconds: float) -> None:
        """Learn what it cost to track all faces through one frame."""
        self._tracking_cost = self._averaged(self._tracking_cost, cost_seconds)

    def state(self) -> State:
        """Return what the next answers depend on, besides the next frames."""
        if not self._follows_clock:
            return incomparable()  # it depends on what was measured
        return (
            *(self._since_detection, self._last_number, self._eager_frames, self.every_frames),
            *(self._last_seconds, self._last_detection_seconds),
            *(self._is_fast, self._last_restless_seconds if self._is_restless else None),
        )

    @property
    def _follows_clock(self) -> bool:
        """Whether detection frames depend on nothing that is measured."""
        return self._leaves_out or not self._auto

    @property
    def _is_restless(self) -> bool:
        since = self._last_seconds - self._last_restless_seconds
        return since <= self._parameters.calm_seconds

    def _interval(self, seconds: float) -> int:
        calm_seconds = seconds - self._last_restless_seconds
        if self._is_fast or calm_seconds <= self._parameters.calm_seconds:
            return self.every_frames
        return max(self.every_frames, self._calm_frames)

    def _is_next_interval(self, number: int | None, every: int) -> bool:
        """Return whether a frame is in another interval of the clock than the last detection."""
        last = self._last_number
        return number is not None and (last is None or number // every != last // every)

    def _would_be_late(self, seconds: float, every: int) -> bool:
        """Return whether a detection on the next frame would be late, if it waits as this one did.

        Frames may be farther apart than the rate says.
        """
        longest = max(self._parameters.max_interval_seconds, every / self._rate)
        next_seconds = seconds + max(0.0, seconds - self._last_seconds)
        jitter = _JITTER_FRAMES / self._rate
        return next_seconds - self._last_detection_seconds > longest + jitter

    def _averaged(self, old: float, new: float) -> float:
        return old + self._parameters.cost_share * (new - old) if old else new

    def _best_interval(self, speed: float) -> int:
        if not self._tracking_cost:  # not measured yet
            return self._parameters.unmeasured_interval_frames
        if self._detection_cost <= self._tracking_cost:
            return 1
        sizes_per_frame = speed / self._rate
        if sizes_per_frame * self._longest <= self._parameters.max_travel_sizes:
            return self._longest
        return max(1, int(self._parameters.max_travel_sizes / sizes_per_frame))
