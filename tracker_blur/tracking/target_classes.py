"""What is to be hidden, and who finds it: faces, plates, or what a detector of one's own finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tracker_blur.core import plugins
from tracker_blur.core.box import Detection
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.errors import SettingsError
from tracker_blur.settings import DETECTOR_FILE_ENDING, FACE, Settings
from tracker_blur.weights.store import Weights

_LABELS = {"faces": FACE, "plates": "plate"}  # every other word is a class of a detector file
_PLATES_FILE = "plate.onnx"
# Share of its size by which a box is padded on each side. Of a face behind a book or a hand our own
# network draws little more than what is seen of it (measured: models/face.md).
_PADDED = {"onnx": 0.05}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of things to hide.

    label   what their detections and tracks are called
    finder  who finds them, for people to read
    load    gives a new detector that finds nothing else
    """

    label: str
    finder: str
    load: Callable[[], Detector]


def kinds(settings: Settings, weights: Weights) -> tuple[Kind, ...]:
    """Return what the settings ask for, in their order.

    A detector file finds those of its classes that are to be hidden, all of them where nothing is
    named. Faces that it does not know are found by the best detector at hand, plates by our own.

    Raises ModelError, SettingsError for a kind that nobody finds, and MissingPackageError.
    """
    name, known = settings.detector, ()
    if name.endswith(DETECTOR_FILE_ENDING):
        known = plugins.load("tracker_blur.detectors", "onnx").from_file(name).labels
    wanted = [word if word in known else _LABELS.get(word, word) for word in settings.hide]
    labels = dict.fromkeys(wanted or known or (FACE,))
    return tuple(_kind(label, name, known, weights) for label in labels)


def _kind(label: str, name: str, known: tuple[str, ...], weights: Weights) -> Kind:
    if label in known:
        return Kind(label, Path(name).name, lambda: _only(label, load_detector(name, weights)[1]))
    if label == FACE:
        best = "auto" if known else name
        finder, _ = load_detector(best, weights)
        return Kind(label, finder, lambda: _padded(*load_detector(finder, weights)))
    if label == _LABELS["plates"]:
        onnx = plugins.load("tracker_blur.detectors", "onnx")
        return Kind(label, _PLATES_FILE, lambda: onnx.from_weights(weights, _PLATES_FILE))
    others = f"faces, plates and {', '.join(known)}" if known else "faces and plates"
    raise SettingsError(
        f"`hide`: nobody finds '{label}' here: {others} can be found, all else by a file that "
        "`detector` names"
    )


def _padded(finder: str, detector: Detector) -> Detector:
    ratio = _PADDED.get(finder)
    if ratio is None:
        return detector
    return _Changed(
        detector, lambda found: [replace(find, box=find.box.padded(ratio)) for find in found]
    )


def _only(label: str, detector: Detector) -> Detector:
    return _Changed(detector, lambda found: [find for find in found if find.label == label])


class _Changed:
    """A detector whose finds are changed before anyone sees them."""

    def __init__(
        self, detector: Detector, change: Callable[[list[Detection]], list[Detection]]
    ) -> None:
        self._detector = detector
        self._change = change
        self.default_confidence = detector.default_confidence
        self.weak_confidence = detector.weak_confidence

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return what is left of the finds with a score of at least `confidence`."""
        return self._change(self._detector.detect(image, confidence))
