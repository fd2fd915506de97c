"""Where the scene changes: the content of the picture jumps from one frame to the next.

Which frames of a video belong to one scene.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Image

_THUMBNAIL_SIZE = (64, 36)
_JUMP = 27.0  # mean change of hue, saturation and value, 0 to 255
_FLASH_FRAMES = 5
_RATIO = 2.5  # a cut changes the picture that many times more than the frames before it


class Change(enum.Enum):
    """What a frame is to the one before: the same scene, a cut, or the scene before a flash."""

    NONE = "none"
    CUT = "cut"
    RETURN = "return"


class CutDetector:
    """Compares each frame's content, as mean HSV differences, with the frame before.

    The score and its threshold are those of PySceneDetect's content detector, on a thumbnail;
    the ratio to the frames before, as in its adaptive detector, keeps fast motion and shaking
    cameras from counting as cuts. A flash of light makes two cuts, the second of them back to the
    picture from before.
    """

    def __init__(self) -> None:
        self._last: npt.NDArray[np.int16] | None = None
        self._usual_change = 0.0
        self._before_cut: npt.NDArray[np.int16] | None = None
        self._since_cut = 0

    def change(self, image: Image) -> Change:
        """Return whether this picture, any size, begins another scene; call once a frame."""
        thumbnail = cv2.resize(image, _THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(thumbnail, cv2.COLOR_BGR2HSV).astype(np.int16)
        last, self._last = self._last, hsv
        if last is None:
            return Change.CUT
        self._since_cut += 1
        score = _difference(hsv, last)
        if score <= max(_JUMP, _RATIO * self._usual_change):
            self._usual_change += 0.2 * (score - self._usual_change)
            return Change.NONE
        before, self._before_cut = self._before_cut, last
        is_back = (
            before is not None
            and self._since_cut <= _FLASH_FRAMES
            and _difference(hsv, before) < _JUMP / 2
        )
        self._usual_change, self._since_cut = 0.0, 0
        return Change.RETURN if is_back else Change.CUT


def _difference(one: npt.NDArray[np.int16], other: npt.NDArray[np.int16]) -> float:
    change = np.abs(one - other)
    change[..., 0] = np.minimum(change[..., 0], 180 - change[..., 0])  # hue is a circle
    return float(change.mean())


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
