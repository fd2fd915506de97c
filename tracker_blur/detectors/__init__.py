"""Detectors: one file each; a file's name is the value of `--detector`.

A detector module holds `load(weights) -> Detector` and WEIGHTS, the sets of weight files of which
it needs one, best first; `((),)` where it needs none. To add a detector, add a file; the contract
tests in `tests/detectors/test_contract.py` run over all of them.
"""

from __future__ import annotations

from typing import Protocol

from tracker_blur.core import plugins
from tracker_blur.core.box import Detection
from tracker_blur.core.frame import Image
from tracker_blur.settings import DETECTOR_FILE_ENDING
from tracker_blur.weights.store import Weights

AUTO_ORDER = ("yunet", "centerface", "onnx", "ssd", "haar")
"""What "auto" tries, best first: `docs/detectors.md` has the figures that decided. The last
one needs no weights, so that there always is a detector, also where our own were left out."""


class Detector(Protocol):
    """Finds faces in one picture.

    default_confidence   the score from which a find counts as a face, unless the user says
    low_confidence      the score from which a find may confirm a face that is already followed
    """

    default_confidence: float
    low_confidence: float

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`, boxes in the image's pixels.

        The image may have any size from 1x1 up, another one on every call; it is not changed.
        A box may reach beyond the image, where a face is cut by its border. A detector may be
        called from any thread, but from one at a time.
        """
        ...


def load_detector(name: str, weights: Weights) -> tuple[str, Detector]:
    """Return the detector's name and the detector; "auto" is the best whose weights are here.

    A name that ends in ".onnx" is the path of a file that `trackblur train` made.

    Raises SettingsError for an unknown name, ModelError when weights are missing or damaged (also
    under "auto": a damaged file is no reason to take a weaker detector), and MissingPackageError.
    """
    detector: Detector
    if name.endswith(DETECTOR_FILE_ENDING):
        detector = plugins.load(__name__, "onnx").from_file(name)
        return name, detector
    if name == "auto":
        name = next(known for known in AUTO_ORDER if _has_weights(known, weights))
    detector = plugins.load(__name__, name).load(weights)
    return name, detector


def _has_weights(name: str, weights: Weights) -> bool:
    return weights.complete(plugins.load(__name__, name).WEIGHTS) is not None
