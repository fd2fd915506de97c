"""Probes: the detectors that search for exposed faces, at several scales, as an attacker would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core import plugins
from tracker_blur.core.frame import Image, view_size
from tracker_blur.detectors import Detector, LabelledDetector, load_detector
from tracker_blur.settings import FACE, Settings
from tracker_blur.tracking.target_classes import target_classes
from tracker_blur.verification.parameters import VerificationParameters

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.core.box import Box
    from tracker_blur.weights.store import Weights

_NETWORKS = ("yunet", "onnx", "centerface", "ssd")  # best first
_REDUNDANT_WITH = {"onnx": "yunet", "ssd": "yunet"}  # they add nothing where the other one is
_FALLBACK = "haar"  # without any network


@dataclass(frozen=True, slots=True)
class ProbeDetection:
    """A place that a detector takes for a face, or for another target class.

    Attributes:
        box: pixels of the full-size upright frame.
        score: 0 to 1.
        detector: name of the detector.
        is_agreed: whether another detector detects the same there.
        label: the target class.
    """

    box: Box
    score: float
    detector: str
    is_agreed: bool = False
    label: str = FACE

    def is_likely(self, parameters: VerificationParameters) -> bool:
        """Return whether there is likely a face."""
        return self.is_agreed or self.score >= parameters.medium_score

    def is_sufficient(self, parameters: VerificationParameters) -> bool:
        """Return whether this alone counts as a face, whatever other frames show."""
        return self.is_agreed or self.score >= parameters.high_score

    def is_high_confidence(self, parameters: VerificationParameters) -> bool:
        """Return whether one detector alone is confident; two that agree may both be mistaken."""
        return self.score >= parameters.high_score

    def is_certain(self, parameters: VerificationParameters) -> bool:
        """Return whether one detector in one frame leaves no doubt."""
        return self.score >= parameters.very_high_score


class Probe:
    """One detector at its scales. One probe serves one thread at a time."""

    def __init__(
        self,
        name: str,
        detector: Detector,
        label: str = FACE,
        parameters: VerificationParameters | None = None,
    ) -> None:
        self.name = name
        self.label = label
        self._detector = detector
        self._parameters = parameters or VerificationParameters()

    def detect(self, image: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        """Return what the detector detects at any scale in an upright, full-size frame."""
        height, width = image.shape[:2]
        longest = self._parameters.other_view_px
        if self.label == FACE:
            longest = self._parameters.face_view_px.get(self.name, longest)
        sizes = {view_size((width, height), px, pixel_aspect) for px in longest}
        detections = []
        for size in sorted(sizes):
            reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            detections += self._detect(reduced, width / size[0], height / size[1])
        return detections

    def detect_in_crop(self, image: Image, box: Box) -> list[ProbeDetection]:
        """Return what the detector detects in an enlarged crop around a box."""
        height, width = image.shape[:2]
        around = box.padded(self._parameters.crop_padding_ratio).clipped(width, height)
        if around.is_empty or box.size <= 0:
            return []
        left, top, right, bottom = around.outward()
        ratio = max(self._parameters.crop_face_px / box.size, 1.0)
        ratio = min(ratio, self._parameters.crop_max_enlargement)
        size = round((right - left) * ratio), round((bottom - top) * ratio)
        crop = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_CUBIC)
        detections = self._detect(crop, (right - left) / size[0], (bottom - top) / size[1])
        return [replace(detection, box=detection.box.moved(left, top)) for detection in detections]

    def _detect(
        self, image: cv2.typing.MatLike, x_ratio: float, y_ratio: float
    ) -> list[ProbeDetection]:
        contiguous = np.ascontiguousarray(image, np.uint8)
        return [
            ProbeDetection(
                detection.box.scaled(x_ratio, y_ratio),
                detection.score,
                self.name,
                label=self.label,
            )
            for detection in self._detector.detect(contiguous, self._parameters.low_score)
        ]


def load_probes(
    settings: Settings,
    weights: Weights,
    parameters: VerificationParameters,
    own: LabelledDetector | None = None,
) -> tuple[Probe, ...]:
    """Return the probes for all that the settings hide, best first for each target class.

    Faces get every network whose weights are on this machine and that adds something. Other classes
    get the detector that detects them. The caller's own detector probes for all of its classes.

    Raises:
        ModelError: A weight file is damaged.
        SettingsError: No detector detects a class, as in `target_classes`.
    """
    probes: list[Probe] = []
    for target in target_classes(settings, weights, own):
        if target.label == FACE:
            names = _face_detectors(weights)
            loaded = [(name, load_detector(name, weights)[1]) for name in names]
            if own is not None and FACE in own.labels:
                loaded.append((target.detector_name, target.load()))
        else:
            loaded = [(target.detector_name, target.load())]
        probes += (Probe(name, detector, target.label, parameters) for name, detector in loaded)
    return tuple(probes)


def _face_detectors(weights: Weights) -> list[str]:
    available = [name for name in _NETWORKS if _is_available(name, weights)]
    needed = [name for name in available if _REDUNDANT_WITH.get(name) not in available]
    return needed or [_FALLBACK]


def _is_available(name: str, weights: Weights) -> bool:
    return weights.complete(plugins.load("tracker_blur.detectors", name).WEIGHTS) is not None


def suppress_duplicates(detections: list[ProbeDetection], iou: float) -> list[ProbeDetection]:
    """Keep the best-scored detection of each face, and note where two detectors agree.

    Args:
        detections: of one frame, by all probes.
        iou: overlap above which two are one face.
    """
    kept: list[ProbeDetection] = []
    for candidate in sorted(detections, key=lambda detection: -detection.score):
        same = [
            index
            for index, other in enumerate(kept)
            if other.label == candidate.label and candidate.box.iou(other.box) > iou
        ]
        for index in same:
            if kept[index].detector != candidate.detector:
                kept[index] = replace(kept[index], is_agreed=True)
        if not same:
            kept.append(candidate)
    return kept
