"""Haar cascades, frontal and profile: old, misses many; needs no weights, so it always runs.

Paper: Viola, Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features", CVPR
2001. The files, frontalface_alt2 by Rainer Lienhart and profileface by David Bradley, come with the
OpenCV wheel, under Intel's BSD-style license at their heads.

It detects upright, unmasked faces of 20 pixels and more, frontal or in profile. The score is the
share of detections with as many votes that are faces (see `_cascades.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2.data

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.detectors._cascades import Cascade, read_cascade, to_gray

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.weights.store import Weights

WEIGHTS: tuple[tuple[str, ...], ...] = ((),)
_SAME_FACE_IOU = 0.3


class Haar:
    """A frontal cascade and a profile one, which knows one side and gets the mirrored image too."""

    default_confidence = 0.25
    low_confidence = 0.1

    def __init__(self, folder: Path) -> None:
        """Load the cascades from a folder; raises ModelError."""
        frontal = read_cascade(folder / "haarcascade_frontalface_alt2.xml")
        profile = read_cascade(folder / "haarcascade_profileface.xml")
        self._frontal = Cascade(frontal, scale_step=1.1, even_votes=4.0, steepness=2.3)
        self._profile = Cascade(profile, scale_step=1.2, even_votes=2.0, steepness=2.0)

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""
        gray, width = to_gray(image), image.shape[1]
        detections = self._frontal.detect(gray, confidence)
        detections += self._profile.detect(gray, confidence)
        for detection in self._profile.detect(gray[:, ::-1].copy(), confidence):
            detections.append(Detection(_mirrored(detection.box, width), detection.score))
        return suppress_overlaps(detections, _SAME_FACE_IOU)


def _mirrored(box: Box, width: int) -> Box:
    return Box(width - box.right, box.top, width - box.left, box.bottom)


def load(weights: Weights) -> Detector:
    """Return the detector; no weights are needed.

    Raises ModelError when the installed OpenCV lacks its cascade files.
    """
    return Haar(Path(cv2.data.haarcascades))
