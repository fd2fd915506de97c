"""Scene cuts: frames whose content differs suddenly from the frame before."""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.state import Pixels, incomparable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import SceneCutParameters
    from tracker_blur.core.state import State


_LEAST_CONTRAST = 4.0  # levels; what is flatter resembles any other flat image
_LEAST_CONTRAST_RATIO = 0.5  # of two images of one scene in the same light


class Change(enum.Enum):
    """How a frame relates to the previous one.

    It continues the scene, also after a jerk of the camera; it begins another one; or it returns
    to the scene before a flash.
    """

    NONE = "none"
    JERK = "jerk"
    CUT = "cut"
    RETURN = "return"

    @property
    def is_cut(self) -> bool:
        """Whether this frame says nothing of where faces of the previous frame are."""
        return self in (Change.CUT, Change.RETURN)


class CutDetector:
    """Compares each frame with the previous one, by mean HSV differences of thumbnails.

    The score is that of PySceneDetect's content detector; the ratio to the frames before is that
    of its adaptive detector. Where that is high only because the camera was jerked, the image is
    the same elsewhere. A flash of light makes two cuts, and the second is a return to the scene
    before it.
    """

    def __init__(self, parameters: SceneCutParameters) -> None:
        self._parameters = parameters
        self._last: npt.NDArray[np.int16] | None = None
        self._changes: deque[float] = deque(maxlen=parameters.usual_change_frames)
        self._before_cut: npt.NDArray[np.int16] | None = None
        self._since_cut = 0

    def change(self, image: Image) -> Change:
        """Return whether this image, of any size, begins another scene; call it once per frame."""
        limits = self._parameters
        thumbnail = cv2.resize(image, limits.thumbnail_px, interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(thumbnail, cv2.COLOR_BGR2HSV).astype(np.int16)
        last, self._last = self._last, hsv
        if last is None:
            return Change.CUT
        self._since_cut += 1
        score = _difference(hsv, last)
        if score <= max(limits.content_threshold, limits.adaptive_ratio * self._usual_change()):
            self._changes.append(score)
            return Change.NONE
        if _likeness(hsv, last) > limits.min_jerk_likeness_share:
            return Change.JERK  # it is not usual: a cut may follow
        before, self._before_cut = self._before_cut, last
        is_back = (
            before is not None
            and self._since_cut <= limits.max_flash_frames
            and _difference(hsv, before) < limits.return_share * limits.content_threshold
        )
        self._changes.clear()
        self._since_cut = 0
        return Change.RETURN if is_back else Change.CUT

    def state(self) -> State:
        """Return what the next answers depend on, besides the next images."""
        if self._since_cut <= self._parameters.max_flash_frames and self._before_cut is not None:
            return incomparable()  # it may have been a flash
        return tuple(self._changes), Pixels(self._last)

    def _usual_change(self) -> float:
        """Return how much the last frames of this scene changed, on average."""
        usual = 0.0
        for change in self._changes:
            usual += self._parameters.usual_change_share * (change - usual)
        return usual


def _difference(one: npt.NDArray[np.int16], other: npt.NDArray[np.int16]) -> float:
    change = np.abs(one - other)
    change[..., 0] = np.minimum(change[..., 0], 180 - change[..., 0])  # hue is a circle
    return float(change.mean())


def _likeness(image: npt.NDArray[np.int16], last: npt.NDArray[np.int16]) -> float:
    """Return the correlation of the last image's middle with where it is most alike in an image.

    Both are HSV. 0 if there is nothing to be seen in one of them, or much less than in the other: a
    flash changes the contrast, a jerk does not.
    """
    values = [
        cv2.GaussianBlur(np.ascontiguousarray(each[..., 2], np.float32), (0, 0), 1.0)
        for each in (image, last)
    ]
    height, width = values[1].shape
    middle = values[1][height // 4 : height - height // 4, width // 4 : width - width // 4]
    correlations = cv2.matchTemplate(values[0], middle, cv2.TM_CCOEFF_NORMED)
    _, best, _, (left, top) = cv2.minMaxLoc(correlations)
    alike = values[0][top : top + middle.shape[0], left : left + middle.shape[1]]
    low, high = sorted((float(middle.std()), float(alike.std())))
    return best if low >= _LEAST_CONTRAST and low >= _LEAST_CONTRAST_RATIO * high else 0.0


class Scenes:
    """The scenes of a video.

    Args:
        cuts: Frames that begin another scene, ascending.
        frame_count: Number of frames of the video.
    """

    def __init__(self, cuts: Sequence[int], frame_count: int) -> None:
        self._starts = [0, *cuts]
        self._frame_count = frame_count

    def of(self, frame: int) -> tuple[int, int]:
        """Return the first frame of the scene that a frame is in, and the one after its last."""
        index = bisect_right(self._starts, frame)
        end = self._starts[index] if index < len(self._starts) else self._frame_count
        return self._starts[index - 1], end
