"""Which frames of a video belong to one scene."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


class Scenes:
    """The scenes of a video.

    cuts         frames that begin another scene, ascending
    frame_count  how many frames the video has
    """

    def __init__(self, cuts: Sequence[int], frame_count: int) -> None:
        self._starts = [0, *cuts]
        self._frame_count = frame_count

    def of(self, frame: int) -> tuple[int, int]:
        """Return the first frame of the scene that a frame is in, and the one after its last."""
        index = bisect_right(self._starts, frame)
        end = self._starts[index] if index < len(self._starts) else self._frame_count
        return self._starts[index - 1], end
