"""Haar cascades, frontal and profile: old, misses many; needs no weights, so it always runs.

Paper: Viola, Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features", CVPR
2001. The files, frontalface_alt2 by Rainer Lienhart and profileface by David Bradley, come with the
OpenCV wheel, under Intel's BSD-style license at their heads.

It detects upright, unmasked faces of 20 pixels and more, frontal or in profile. The score is the
share of detections with as many votes that are faces (see `_cascades.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2.data

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.core.plugin_parameters import PluginParameters, number, whole_number
from tracker_blur.detectors._cascades import Cascade, read_cascade, to_gray

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.weights.store import Weights

WEIGHTS: tuple[tuple[str, ...], ...] = ((),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    """What users may set; the first four are OpenCV's in `detectMultiScale`."""

    scale_factor: float = number(
        1.1, 1.01, 3, "frontal: ratio of one window size to the next; nearer to 1, slower"
    )
    profile_scale_factor: float = number(1.2, 1.01, 3, "profile: the same")
    min_neighbors: int = whole_number(
        1, 1, 1000, "a face has more votes than this: windows that overlap on it"
    )
    min_size: int = whole_number(20, 1, 10_000, "smallest face, in pixels of the view")
    nms_threshold: float = number(
        0.3, 0, 1, "of two boxes of the cascades with a larger IoU, the better stays"
    )


_DEFAULTS = Parameters()


class Haar:
    """A frontal cascade and a profile one, which knows one side and gets the mirrored image too."""

    default_confidence = 0.25
    low_confidence = 0.1
    takes_overlap = True

    def __init__(self, folder: Path, parameters: Parameters = _DEFAULTS) -> None:
        """Load the cascades from a folder; raises ModelError."""
        frontal = read_cascade(folder / "haarcascade_frontalface_alt2.xml")
        profile = read_cascade(folder / "haarcascade_profileface.xml")
        votes, size = parameters.min_neighbors, parameters.min_size
        self._frontal = Cascade(
            frontal, parameters.scale_factor, votes, size, even_votes=4.0, steepness=2.3
        )
        self._profile = Cascade(
            profile, parameters.profile_scale_factor, votes, size, even_votes=2.0, steepness=2.0
        )
        self._nms_threshold = parameters.nms_threshold

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""
        gray, width = to_gray(image), image.shape[1]
        detections = self._frontal.detect(gray, confidence)
        detections += self._profile.detect(gray, confidence)
        for detection in self._profile.detect(gray[:, ::-1].copy(), confidence):
            detections.append(Detection(_mirrored(detection.box, width), detection.score))
        return suppress_overlaps(detections, self._nms_threshold if overlap is None else overlap)


def _mirrored(box: Box, width: int) -> Box:
    return Box(width - box.right, box.top, width - box.left, box.bottom)


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; no weights are needed.

    Raises ModelError when the installed OpenCV lacks its cascade files.
    """
    return Haar(Path(cv2.data.haarcascades), parameters)
