"""Which frames the detector looks at: every Nth, or as costs and motion demand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

_SHARE = 0.2  # of the newest measurement in a smoothed cost
_LONGEST_FRAMES = 5
_LONGEST_SECONDS = 0.12  # a newcomer is seen by the next look only
_TRAVEL_SIZES = 0.5  # a face may move by half its size between two looks
_AFTER_CUT_FRAMES = 3  # a new scene is looked at on each of its first frames


class DetectionSchedule:
    """Counts frames between detections; with "auto" it adapts their number, N.

    Detecting on every Nth frame and following on the others costs, a frame,
    (detect + (N - 1) follow) / N: a mix that is cheapest at one of its ends. So "auto" detects on
    every frame where that is no dearer than following the faces, and as seldom as their motion,
    and faces that may enter, allow where it is dearer.

    Where frames are far apart in time, as in a time lapse, or live on a machine too slow for all of
    them, a face may be in one of them only: then N is 1, whatever was asked for.
    """

    def __init__(self, every_frames: int | Literal["auto"], rate: float) -> None:
        self._auto = every_frames == "auto"
        is_slow = rate * _LONGEST_SECONDS < 1
        self.every_frames = 1 if every_frames == "auto" or is_slow else every_frames
        self._rate = rate
        self._detect_seconds = 0.0
        self._follow_seconds = 0.0
        self._since_detection = 0
        self._seconds = self._look_seconds = -math.inf
        self._eager_frames = 0
        self.restart()

    def restart(self) -> None:
        """Look at each of the next frames: a new scene begins."""
        self._eager_frames = _AFTER_CUT_FRAMES

    def hurry(self) -> None:
        """Look at the next frame too: a face has just come, or was not found where it should be."""
        self._eager_frames = max(1, self._eager_frames)

    def is_due(self, seconds: float) -> bool:
        """Return whether the detector looks at the frame of this time; to be asked once a frame."""
        self._since_detection += 1
        last = self._look_seconds if self._auto else self._seconds
        due = (
            self._eager_frames > 0
            or self._since_detection >= self.every_frames
            or seconds - last > _LONGEST_SECONDS
        )
        self._seconds = seconds
        if due:
            self._since_detection = 0
            self._look_seconds = seconds
        self._eager_frames = max(0, self._eager_frames - 1)
        return due

    def detected(self, cost_seconds: float, speeds: Sequence[float]) -> None:
        """Learn what a detection cost, and how fast faces move, in face sizes a second."""
        self._detect_seconds = _smooth(self._detect_seconds, cost_seconds)
        if self._auto:
            self.every_frames = self._best(max(speeds, default=0.0))

    def followed(self, cost_seconds: float) -> None:
        """Learn what following all faces through one frame cost."""
        self._follow_seconds = _smooth(self._follow_seconds, cost_seconds)

    def _best(self, speed: float) -> int:
        if not self._follow_seconds:  # not measured yet
            return 2
        if self._detect_seconds <= self._follow_seconds:
            return 1
        longest = max(1, min(_LONGEST_FRAMES, int(_LONGEST_SECONDS * self._rate)))
        sizes_per_frame = speed / self._rate
        if sizes_per_frame * longest <= _TRAVEL_SIZES:
            return longest
        return max(1, int(_TRAVEL_SIZES / sizes_per_frame))


def _smooth(old: float, new: float) -> float:
    return old + _SHARE * (new - old) if old else new
