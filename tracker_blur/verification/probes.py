"""Probes: the detectors that search for exposed faces, as an attacker would.

They see each frame at several scales, and some frames on their sides and upside down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.classifiers import load_classifier
from tracker_blur.core import plugins
from tracker_blur.core.detector_choice import AUTO, DetectorChoice
from tracker_blur.core.frame import Image, view_size
from tracker_blur.detectors import (
    Detector,
    LabelledDetector,
    auto_detector,
    load_detector,
)
from tracker_blur.settings import FACE, Settings
from tracker_blur.tracking.extra_detection import QUARTERS, turned, turned_back
from tracker_blur.tracking.target_classes import target_classes
from tracker_blur.verification.parameters import VerificationParameters

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Box
    from tracker_blur.weights.store import Weights

_NETWORKS = ("yunet", "onnx", "centerface", "ssd")  # best first
_BETTER_THAN_SSD = {"yunet", "centerface"}  # the SSD adds nothing where one of them is
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

    def detect_turned(self, image: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        """Return what the detector detects when the frame lies on a side, or upside down."""
        height, width = image.shape[:2]
        size = view_size((width, height), self._parameters.turned_view_px, pixel_aspect)
        reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        contiguous = np.asarray(reduced, np.uint8)
        detections = []
        for quarters in QUARTERS:
            detections += [
                replace(found, box=turned_back(found.box, size, quarters))
                for found in self._detect(turned(contiguous, quarters), 1.0, 1.0)
            ]
        x_ratio, y_ratio = width / size[0], height / size[1]
        return [replace(found, box=found.box.scaled(x_ratio, y_ratio)) for found in detections]

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

    Faces get every network whose weights are on this machine and that adds something: first those
    that did not hide them, which miss other faces. Other classes get the detector that detects
    them. The caller's own detector probes for all of its classes.

    Raises:
        ModelError: A weight file is damaged.
        SettingsError: No detector detects a class, as in `target_classes`.
    """
    probes: list[Probe] = []
    for target in target_classes(settings, weights, own):
        if target.label == FACE:
            names = _face_detectors(weights, _hidden_by(settings, weights))
            loaded = [(name, load_detector(name, weights)[1]) for name in names]
            if own is not None and FACE in own.labels:
                loaded.append((target.detector_name, target.load()))
        else:
            loaded = [(target.detector_name, target.load())]
        probes += (Probe(name, detector, target.label, parameters) for name, detector in loaded)
    return tuple(probes)


def load_classifiers(
    probes: Iterable[Probe], weights: Weights, own: LabelledDetector | None = None
) -> dict[str, Classifier]:
    """Return what judges whether a place shows an object, for each class that has such a network.

    What the caller's own detector calls a face may be anything, so its scores count.

    Raises:
        ModelError: A weight file is damaged.
    """
    labels = {probe.label for probe in probes} - set(() if own is None else own.labels)
    loaded = {label: load_classifier(label, weights) for label in labels}
    return {label: found for label, found in loaded.items() if found is not None}


def _hidden_by(settings: Settings, weights: Weights) -> str:
    """Return the name of the detector of the run; a detector file's faces count as the best's."""
    choice = DetectorChoice.of(settings.detector)
    return auto_detector(weights) if choice.is_file or choice.name == AUTO else choice.name


def _face_detectors(weights: Weights, hidden_by: str) -> list[str]:
    """Return the names of the detectors that probe for faces, those of another run first."""
    available = [name for name in _NETWORKS if _is_available(name, weights)]
    if _BETTER_THAN_SSD.intersection(available):
        available = [name for name in available if name != "ssd"]
    return sorted(available, key=lambda name: name == hidden_by) or [_FALLBACK]


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
