"""Detectors, one file each; the file's name is the value of `--detector`.

To add a detector, say RT-DETR, add `rtdetr.py` to this folder. It needs:

* a docstring whose first line describes the detector in one sentence (`--help` shows it), and that
  names its paper or model card and its license;
* `WEIGHTS`, the sets of weight files, one of which it needs, best first, such as
  `(("rtdetr_r18.onnx",),)`; `((),)` if it needs none;
* `Parameters`, a frozen dataclass of what users may set, derived from
  `core.plugin_parameters.PluginParameters`, which checks it: `--detector rtdetr:queries=100`.
  `trackblur detectors` lists it;
* `load(weights, parameters)`, which returns an object that implements `Detector`:
  `default_confidence`, `low_confidence` and `detect(image, confidence)`; better, it implements
  `SuppressingDetector`. It reads files with `weights.read` only, and imports optional packages
  inside the function. Without `parameters`, the defaults hold.

Weights that `trackblur models pull` should download go into `tracker_blur/weights/catalog.py`.
`_networks.py` loads networks into OpenCV and runs a detector over an image pyramid. `_foreign.py`
runs networks of other people, whose layouts are in `_heads`, and `_trial.py` tries them first.
`AUTO_ORDER` lists the detectors that `--detector auto` may choose. No detector imports another one.
The tests in `tests/detectors/test_contract.py` run over all files in this folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard

from tracker_blur.core import plugins
from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.core.detector_choice import AUTO, DetectorChoice

if TYPE_CHECKING:
    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.weights.store import Weights

AUTO_ORDER = ("yunet", "centerface", "onnx", "ssd", "haar")
"""What "auto" tries, best first; `docs/detectors.md` has the figures behind the order.

The last one needs no weights, so there is always a detector, even without our own weights.
"""


class Detector(Protocol):
    """Detects faces, or objects of other classes, in an image.

    Attributes:
        default_confidence: The score from which a detection counts, unless the user sets another.
        low_confidence: The score from which a detection may extend a track that exists already.
    """

    default_confidence: float
    low_confidence: float

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the objects with a score of at least `confidence`, boxes in the image's pixels.

        A box may reach beyond the image, where its border cuts a face. A detector may be called
        from any thread, but only from one at a time.

        Args:
            image: A BGR image of any size from 1x1, a different one at each call. It is not
                changed.
            confidence: The lowest score to return, 0 to 1.
        """
        ...


class SuppressingDetector(Detector, Protocol):
    """A detector whose threshold of non-maximum suppression can be set for each image.

    Attributes:
        takes_overlap: True.
    """

    takes_overlap: bool

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the objects, as `Detector.detect` does.

        Args:
            image: As there.
            confidence: As there.
            overlap: Of two boxes of a class with a larger IoU, 0 to 1, the better stays. None: the
                detector's own threshold.
        """
        ...


class LabelledDetector(Detector, Protocol):
    """A detector of its own classes, such as one that a caller of the library passes.

    Attributes:
        name: Its name, for people to read.
        labels: The classes that its detections have.
    """

    name: str
    labels: tuple[str, ...]


def load_detector(name: str, weights: Weights) -> tuple[str, Detector]:
    """Return a detector's name and the detector.

    Args:
        name: A plug-in's name; "auto" for the best one whose weights are installed; or the path of
            an .onnx file that `trackblur train` made, or of a layout in `_heads`. Values for its
            parameters may follow (`core/detector_choice.py`), and are part of the name.
        weights: Where to find weight files.

    Raises:
        SettingsError: No detector has this name, or it has no such parameters.
        ModelError: Weights are missing, damaged or of an unknown layout. This goes for "auto" too:
            a damaged file must not silently lead to a weaker detector.
        MissingPackageError: The detector needs a package that is not installed.
    """
    choice = DetectorChoice.of(name)
    detector: Detector
    if choice.is_file:
        onnx = plugins.load(__name__, "onnx")
        detector = onnx.from_file(choice.name, choice.parameters())
        return name, detector
    if choice.name == AUTO:
        choice.check()  # it takes no parameters
        choice = DetectorChoice.of(auto_detector(weights))
    plugin = plugins.load(__name__, choice.name)
    detector = plugin.load(weights, choice.parameters())
    return choice.text, detector


def detect_with_overlap(
    detector: Detector, image: Image, confidence: float, overlap: float | None
) -> list[Detection]:
    """Return a detector's objects; no two of a class overlap by more than `overlap`.

    A detector that is no `SuppressingDetector` suppresses with its own threshold before.

    Args:
        detector: It.
        image: As for `Detector.detect`.
        confidence: As for `Detector.detect`.
        overlap: Intersection over union, 0 to 1; None: the detector's own threshold.
    """
    if overlap is None:
        return detector.detect(image, confidence)
    if takes_overlap(detector):
        return suppress_overlaps(detector.detect(image, confidence, overlap), overlap)
    return suppress_overlaps(detector.detect(image, confidence), overlap)


def takes_overlap(detector: Detector) -> TypeGuard[SuppressingDetector]:
    """Return whether a detector's threshold of suppression can be set for each image."""
    return getattr(detector, "takes_overlap", False) is True


def auto_detector(weights: Weights) -> str:
    """Return the name of the best detector whose weights are installed, unchecked."""
    return next(known for known in AUTO_ORDER if _has_weights(known, weights))


def _has_weights(name: str, weights: Weights) -> bool:
    return weights.complete(plugins.load(__name__, name).WEIGHTS) is not None
