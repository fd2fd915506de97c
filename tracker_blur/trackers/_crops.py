"""Runs a tracker in an enlarged crop around a small face.

The crop stays where it is, because a tracker counts its pixels, until the face comes near its
border. Then another tracker goes on in another crop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.trackers import MIN_SIDE_PX, OpenCVTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image

_CROP_SIZES = 8
"""Side of the crop in face sizes. A tracker looks at four."""

_FREE_SIZES = 2
"""How far the face may move from the crop's center before another crop is taken."""


class CropTracker:
    """Tracks one face in a crop around it.

    Args:
        new_tracker: Makes a tracker, for one crop.
        face_px: How large the face is in the crop (`Box.size`).
    """

    def __init__(self, new_tracker: Callable[[], cv2.Tracker], face_px: float) -> None:
        self._new_tracker = new_tracker
        self._face_px = face_px
        self._tracker: OpenCVTracker | None = None
        self._scale = 1.0
        self._left = self._top = 0.0

    def start(self, image: Image, box: Box) -> None:
        """Learn the face. A box that is too small or outside the image is lost from the start."""
        height, width = image.shape[:2]
        visible = box.clipped(width, height)
        self._tracker = None
        if min(visible.width, visible.height) < MIN_SIDE_PX:
            return
        self._scale = self._face_px / visible.size
        (x, y), half = visible.center, _CROP_SIZES * visible.size / 2
        self._left, self._top = x - half, y - half
        in_crop = visible.moved(-self._left, -self._top).scaled(self._scale, self._scale)
        self._tracker = OpenCVTracker(self._new_tracker())
        self._tracker.start(self._crop(image), in_crop)

    def update(self, image: Image) -> Box | None:
        """Return where the face is in this image; None when it is lost."""
        found = None if self._tracker is None else self._tracker.update(self._crop(image))
        if found is None:
            return None
        box = found.scaled(1 / self._scale, 1 / self._scale).moved(self._left, self._top)
        moved = max(abs(at - self._face_px * _CROP_SIZES / 2) for at in found.center)
        if moved > _FREE_SIZES * self._face_px:
            self.start(image, box)
        return box

    def _crop(self, image: Image) -> Image:
        """Return the crop; beyond the border, the image's outermost pixels go on."""
        side, scale = round(_CROP_SIZES * self._face_px), self._scale
        # OpenCV's pixels have integer centers.
        x, y = ((0.5 - edge) * scale - 0.5 for edge in (self._left, self._top))
        motion = np.array([[scale, 0, x], [0, scale, y]])
        crop = cv2.warpAffine(image, motion, (side, side), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(crop, np.uint8)
