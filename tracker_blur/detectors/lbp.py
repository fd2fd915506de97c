"""LBP cascade of scikit-image: frontal faces only, quick; needs the extra "skimage".

Paper: Liao, Zhu, Lei et al., "Learning Multi-scale Block Local Binary Patterns for Face
Recognition", ICB 2007. The file is OpenCV's lbpcascade_frontalface as scikit-image ships it;
BSD-3-Clause.

It detects upright, unmasked, frontal faces of 24 pixels and more. The score is the share of
detections with as many votes that are faces (see `_cascades.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.core.plugin_parameters import PluginParameters, number, whole_number
from tracker_blur.detectors._cascades import Cascade, read_cascade, to_gray
from tracker_blur.errors import MissingPackageError

if TYPE_CHECKING:
    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.weights.store import Weights

WEIGHTS: tuple[tuple[str, ...], ...] = ((),)
_FILE_NAME = "lbpcascade_frontalface_opencv.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    """What users may set; OpenCV's `detectMultiScale` has the same."""

    scale_factor: float = number(
        1.1, 1.01, 3, "ratio of one window size to the next; nearer to 1, slower, with more votes"
    )
    min_neighbors: int = whole_number(
        1, 1, 1000, "a face has more votes than this: windows that overlap on it"
    )
    min_size: int = whole_number(20, 1, 10_000, "smallest face, in pixels of the view")


_DEFAULTS = Parameters()


class Lbp:
    """The cascade, run by OpenCV: ten times as fast as scikit-image, and it counts votes."""

    default_confidence = 0.25
    low_confidence = 0.1

    def __init__(self, folder: Path, parameters: Parameters = _DEFAULTS) -> None:
        """Load the cascade from scikit-image's data folder; raises ModelError."""
        # A misspelled tag keeps OpenCV from reading the file as it is.
        classifier = read_cascade(folder / _FILE_NAME, misspelled=("featuhre", "feature"))
        self._cascade = Cascade(
            classifier,
            parameters.scale_factor,
            parameters.min_neighbors,
            parameters.min_size,
            even_votes=4.6,
            steepness=2.3,
        )

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""
        return self._cascade.detect(to_gray(image), confidence)


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; raises MissingPackageError without scikit-image."""
    try:
        import skimage
    except ImportError as error:
        raise MissingPackageError("scikit-image", "skimage", "the LBP detector") from error
    # Not skimage.data.lbp_frontal_face_cascade_filename(): that may download the file.
    return Lbp(Path(skimage.__file__).parent / "data", parameters)
