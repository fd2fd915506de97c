"""Target classes: what is hidden, and which detector detects it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.core import plugins
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.errors import SettingsError
from tracker_blur.settings import DETECTOR_FILE_ENDING, FACE, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.weights.store import Weights

_LABELS = {"faces": FACE, "plates": "plate"}  # any other word is a class of a detector file
_PLATES_FILE = "plate.onnx"
# By detector: share of its size by which a box is padded on each side. Of a face behind a book or a
# hand our own network detects little more than the visible part (measured: models/face.md).
_PADDING = {"onnx": 0.05}


@dataclass(frozen=True, slots=True)
class TargetClass:
    """One class of objects to hide.

    Attributes:
        label: Label of their detections and tracks.
        detector_name: Name of the detector, for people to read.
        load: Returns a new detector that detects nothing else.
    """

    label: str
    detector_name: str
    load: Callable[[], Detector]


def target_classes(settings: Settings, weights: Weights) -> tuple[TargetClass, ...]:
    """Return what the settings hide, in their order.

    A detector file detects those of its classes that are to be hidden; all of them if none is
    named. Faces that it does not know are left to the best available detector, plates to our own.

    Raises:
        ModelError: a weight file is missing or damaged.
        SettingsError: there is no detector for a class.
        MissingPackageError: a detector needs a package that is not installed.
    """
    name, known = settings.detector, ()
    if name.endswith(DETECTOR_FILE_ENDING):
        known = plugins.load("tracker_blur.detectors", "onnx").from_file(name).labels
    wanted = [word if word in known else _LABELS.get(word, word) for word in settings.hide]
    labels = dict.fromkeys(wanted or known or (FACE,))
    return tuple(_target_class(label, name, known, weights) for label in labels)


def _target_class(label: str, name: str, known: tuple[str, ...], weights: Weights) -> TargetClass:
    if label in known:
        return TargetClass(
            label, Path(name).name, lambda: _only(label, load_detector(name, weights)[1])
        )
    if label == FACE:
        best = "auto" if known else name
        detector_name, _ = load_detector(best, weights)
        return TargetClass(
            label, detector_name, lambda: _padded(*load_detector(detector_name, weights))
        )
    if label == _LABELS["plates"]:
        onnx = plugins.load("tracker_blur.detectors", "onnx")
        return TargetClass(label, _PLATES_FILE, lambda: onnx.from_weights(weights, _PLATES_FILE))
    if known:
        classes = f"class{'' if len(known) == 1 else 'es'} {', '.join(known)}"
        raise SettingsError(
            f"includes '{label}', but {Path(name).name} has only the {classes}: give one of its "
            "classes, faces or plates",
            setting="hide",
        )
    raise SettingsError(
        f"includes '{label}', but only faces and plates can be detected: for other classes, give "
        "a file with",
        setting="hide",
        remedy="detector",
    )


def _padded(detector_name: str, detector: Detector) -> Detector:
    ratio = _PADDING.get(detector_name)
    if ratio is None:
        return detector
    return _FilteredDetector(
        detector,
        lambda detections: [
            replace(detection, box=detection.box.padded(ratio)) for detection in detections
        ],
    )


def _only(label: str, detector: Detector) -> Detector:
    return _FilteredDetector(
        detector,
        lambda detections: [detection for detection in detections if detection.label == label],
    )


class _FilteredDetector:
    """A detector whose detections are changed on their way out."""

    def __init__(
        self, detector: Detector, change: Callable[[list[Detection]], list[Detection]]
    ) -> None:
        self._detector = detector
        self._change = change
        self.default_confidence = detector.default_confidence
        self.low_confidence = detector.low_confidence

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the changed detections with a score of at least `confidence`."""
        return self._change(self._detector.detect(image, confidence))
