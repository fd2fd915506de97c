"""Looks again, enlarged and less strictly, where a face must be."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector

_CROP_PX = 160  # always the same: a network takes as long to change its size as to look
_FACE_PX = 53.0  # how large the face is in the crop: a third
_LARGEST_SCALE = 4.0  # enlarging further shows nothing new
_CONFIDENCE_SHARE = 0.6  # of the detector's weak confidence: here a face was, or will be
_SAME_FACE_IOU = 0.4


class Redetector:
    """Looks at the surroundings of one face.

    detector  one of its own: it always gets pictures of one size
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._confidence = _CONFIDENCE_SHARE * detector.low_confidence

    def find(self, image: Image, expected: Box) -> Detection | None:
        """Return the find that fits best where a face is expected, both in the image's pixels."""
        if expected.is_empty:
            return None
        scale = min(_LARGEST_SCALE, _FACE_PX / expected.size)
        x, y = expected.center
        side = _CROP_PX / scale
        left, top = x - side / 2, y - side / 2
        crop = _cut(image, left, top, side)
        finds = (
            replace(find, box=find.box.scaled(1 / scale, 1 / scale).moved(left, top))
            for find in self._detector.detect(crop, self._confidence)
        )
        fits = [(find.box.iou(expected), find) for find in finds]
        best = max(fits, key=lambda fit: fit[0], default=None)
        return best[1] if best is not None and best[0] >= _SAME_FACE_IOU else None


def _cut(image: Image, left: float, top: float, side: float) -> Image:
    """Return the square, scaled to _CROP_PX; black beyond the border."""
    scale = _CROP_PX / side
    if scale < 1:  # shrink by areas first: sampling alone would alias
        height, width = image.shape[:2]
        x, y = max(0, int(left)), max(0, int(top))
        right, bottom = min(width, int(left + side) + 1), min(height, int(top + side) + 1)
        if right <= x or bottom <= y:
            return np.zeros((_CROP_PX, _CROP_PX, 3), np.uint8)
        size = max(1, round((right - x) * scale)), max(1, round((bottom - y) * scale))
        image = np.asarray(
            cv2.resize(image[y:bottom, x:right], size, interpolation=cv2.INTER_AREA), np.uint8
        )
        left, top, scale = (left - x) * scale, (top - y) * scale, 1.0
    motion = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    return np.asarray(cv2.warpAffine(image, motion, (_CROP_PX, _CROP_PX)), np.uint8)
