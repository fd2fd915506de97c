"""Re-detection: detects again in an enlarged crop, with a lower threshold, where a face must be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.tracking.extra_detection import USUAL, Way, turned, turned_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.detectors import Detector


class Redetector:
    """Detects in the surroundings of one face.

    Args:
        detectors: By their numbers in a `Way`. They are used for nothing else, so that their input
            sizes never change.
        parameters: Tuning parameters.
    """

    def __init__(self, detectors: Sequence[Detector], parameters: TrackingParameters) -> None:
        self._detectors = detectors
        self._parameters = parameters.redetection
        self._same_face_iou = parameters.same_face_iou

    def detect(self, image: Image, expected: Box, way: Way = USUAL) -> Detection | None:
        """Return the detection that overlaps most with a box, both in the image's pixels.

        None if none overlaps enough to be the same face.

        Args:
            image: Where to detect.
            expected: Where the face should be.
            way: Which detector detects, and how the crop is turned.
        """
        if expected.is_empty:
            return None
        crop_px = self._parameters.crop_px
        scale = min(self._parameters.max_scale, self._parameters.face_px / expected.size)
        x, y = expected.center
        side = crop_px / scale
        left, top = x - side / 2, y - side / 2
        crop = turned(_crop(image, left, top, side, crop_px), way.quarters)
        detector = self._detectors[way.detector]
        confidence = self._parameters.confidence_share * detector.low_confidence
        overlaps = []
        for detection in detector.detect(crop, confidence):
            box = turned_back(detection.box, (crop_px, crop_px), way.quarters)
            box = box.scaled(1 / scale, 1 / scale).moved(left, top)
            overlaps.append((box.iou(expected), replace(detection, box=box)))
        best = max(overlaps, key=lambda overlap: overlap[0], default=None)
        return best[1] if best is not None and best[0] >= self._same_face_iou else None


def _crop(image: Image, left: float, top: float, side: float, crop_px: int) -> Image:
    """Return a square of the image, scaled to `crop_px`; black beyond the border."""
    scale = crop_px / side
    if scale < 1:  # shrink by areas first: sampling alone would alias
        height, width = image.shape[:2]
        x, y = max(0, int(left)), max(0, int(top))
        right, bottom = min(width, int(left + side) + 1), min(height, int(top + side) + 1)
        if right <= x or bottom <= y:
            return np.zeros((crop_px, crop_px, 3), np.uint8)
        size = max(1, round((right - x) * scale)), max(1, round((bottom - y) * scale))
        image = np.asarray(
            cv2.resize(image[y:bottom, x:right], size, interpolation=cv2.INTER_AREA), np.uint8
        )
        left, top, scale = (left - x) * scale, (top - y) * scale, 1.0
    motion = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    return np.asarray(cv2.warpAffine(image, motion, (crop_px, crop_px)), np.uint8)
