"""HOG and linear SVM of dlib: frontal faces of 40 pixels and more; needs the extra "dlib".

Papers: Dalal, Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005; King,
"Max-Margin Object Detection", 2015, arXiv 1502.00046. The model is part of dlib, under the Boost
license.

It detects upright faces, frontal and half turned, of 40 pixels and more: the image is doubled, as
dlib's own window has 80 (parameter `upsample`). The score is the share of detections at that
distance from the SVM's decision boundary that are faces, fitted on the training images of
`benchmarks/detectors.py`.
"""

from __future__ import annotations

import functools
import importlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.plugin_parameters import PluginParameters, whole_number
from tracker_blur.errors import MissingPackageError

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.weights.store import Weights

WEIGHTS: tuple[tuple[str, ...], ...] = ((),)
_BOUNDARY_LOGIT = 2.5
_SCORE_SLOPE = 5.5
_MIN_SCORE = 1e-3  # below it dlib returns more and more of the background


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    """What users may set; dlib calls it `upsample_num_times`."""

    upsample: int = whole_number(
        1, 0, 2, "how often the image is doubled; 0: from 80 pixels, 1: from 40, 2: from 20"
    )


_DEFAULTS = Parameters()


class Hog:
    """dlib's frontal face detector: five filters for five poses."""

    default_confidence = 0.5
    low_confidence = 0.25

    def __init__(self, dlib_detector: Any, parameters: Parameters) -> None:
        self._detector = dlib_detector
        self._doublings = parameters.upsample

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        boxes, distances, _ = self._detector.run(rgb, self._doublings, _distance(confidence))
        detections = (
            Detection(
                Box(box.left(), box.top(), box.right() + 1, box.bottom() + 1), _score(distance)
            )
            for box, distance in zip(boxes, distances, strict=True)
        )
        return [detection for detection in detections if detection.score >= confidence]


def _score(distance: float) -> float:
    return 1.0 / (1.0 + math.exp(-_BOUNDARY_LOGIT - _SCORE_SLOPE * distance))


def _distance(score: float) -> float:
    """Return the distance from the decision boundary at which detections have this score."""
    clamped = min(max(score, _MIN_SCORE), 1.0 - _MIN_SCORE)
    return (math.log(clamped / (1.0 - clamped)) - _BOUNDARY_LOGIT) / _SCORE_SLOPE


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; raises MissingPackageError without dlib."""
    return Hog(_dlib_detector(), parameters)


@functools.cache
def _dlib_detector() -> Any:
    # Cached: unpacking its model takes half a second.
    try:
        dlib = importlib.import_module("dlib")
    except ImportError as error:
        raise MissingPackageError("dlib-bin", "dlib", "the HOG detector") from error
    return dlib.get_frontal_face_detector()
