"""BorderDetector: sees faces that the border of the image cuts off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector

_LEAST_SHARE = 0.3  # of a box: of a face and its mirror image, each is half


class BorderDetector:
    """Detects in an image that goes on beyond its border, as its own mirror image.

    So half a face becomes one with two halves. Of what it shows, only what reaches the border is
    returned, cut off there.

    Args:
        detector: Detects in the larger image.
        share: How far the image goes on, as a share of its shorter side.
        smallest_px: Smaller faces, as the image shows them, do not count.
    """

    def __init__(self, detector: Detector, share: float, smallest_px: float) -> None:
        self._detector = detector
        self._share = share
        self._smallest_px = smallest_px
        self.default_confidence = detector.default_confidence
        self.low_confidence = detector.low_confidence

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces at the border with a score of at least `confidence`."""
        height, width = image.shape[:2]
        rim = round(self._share * min(height, width))
        larger = np.asarray(
            cv2.copyMakeBorder(image, rim, rim, rim, rim, cv2.BORDER_REFLECT), np.uint8
        )
        found = []
        for one in self._detector.detect(larger, confidence):
            box = one.box.moved(-rim, -rim)
            shown = box.clipped(width, height)
            is_mirror_image = shown.area < _LEAST_SHARE * box.area
            if shown != box and not is_mirror_image and shown.size >= self._smallest_px:
                found.append(replace(one, box=shown))
        return found
