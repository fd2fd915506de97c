"""The detector that a word on the command line means: a name of ours, or an ONNX file."""

from __future__ import annotations

from pathlib import Path

from tracker_blur import plugins
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.errors import ModelError
from tracker_blur.weights import Weights

_ENDING = ".onnx"


def detector_named(word: str, weights: Weights) -> Detector:
    """Return the detector called `word`, or the one that the file `word` holds.

    Raises SettingsError for an unknown name, ModelError for a file that is missing or none of
    `trackblur train`, and MissingPackageError.
    """
    if not word.endswith(_ENDING):
        return load_detector(word, weights)[1]
    try:
        content = Path(word).read_bytes()
    except OSError as error:
        raise ModelError(f"{word}: cannot read this weight file ({error.strerror})") from error
    detector: Detector = plugins.load("tracker_blur.detectors", "onnx").from_content(word, content)
    return detector
