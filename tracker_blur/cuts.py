"""Where the scene changes: the content of the picture jumps from one frame to the next."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.frames import Image

_THUMBNAIL_SIZE = (64, 36)
_JUMP = 27.0  # mean change of hue, saturation and value, 0 to 255
_RATIO = 2.5  # a cut changes the picture that many times more than the frames before it


class CutDetector:
    """Compares each frame's content, as mean HSV differences, with the frame before.

    The score and its threshold are those of PySceneDetect's content detector, on a thumbnail;
    the ratio to the frames before, as in its adaptive detector, keeps fast motion and shaking
    cameras from counting as cuts.
    """

    def __init__(self) -> None:
        self._last: npt.NDArray[np.int16] | None = None
        self._usual_change = 0.0

    def is_cut(self, image: Image) -> bool:
        """Return whether this picture, any size, begins a new scene; call once a frame."""
        thumbnail = cv2.resize(image, _THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(thumbnail, cv2.COLOR_BGR2HSV).astype(np.int16)
        last, self._last = self._last, hsv
        if last is None:
            return True
        change = np.abs(hsv - last)
        change[..., 0] = np.minimum(change[..., 0], 180 - change[..., 0])  # hue is a circle
        score = float(change.mean())
        cut = score > max(_JUMP, _RATIO * self._usual_change)
        if cut:
            self._usual_change = 0.0
        else:
            self._usual_change += 0.2 * (score - self._usual_change)
        return cut
