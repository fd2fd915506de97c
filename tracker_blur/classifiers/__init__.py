"""Classifiers: whether a place in an image shows what a detector took it for.

A detector decides in a fraction of a microsecond for each place. A classifier sees one place at a
fixed size with its surroundings, so it errs less often, and it is run on few places.
`models/verify.onnx` knows faces and heads, `models/verify_plate.onnx` license plates; cards:
`models/verify.md`, `models/verify_plate.md`. `trackblur train --task verify` makes such files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from tracker_blur.classifiers.crops import SIDE_PX, crop, levels
from tracker_blur.errors import ModelError
from tracker_blur.weights.onnx_network import OnnxNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.weights.store import Weights

FILES = {"face": "verify.onnx", "plate": "verify_plate.onnx"}
"""The weight file of each class."""


class Classifier(Protocol):
    """Says of places in an image whether they show an object of one class."""

    def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
        """Return the logarithm of the odds that each box shows the object, shape (n,).

        Above 0, it is more likely than not. A classifier may be called from any thread, but only
        from one at a time.

        Args:
            image: A BGR image of any size.
            boxes: Places, in pixels of the image; they may reach beyond it.
        """
        ...


class CropClassifier:
    """The network of a weight file.

    Args:
        file_name: Its name, for messages.
        content: Its bytes.

    Raises:
        ModelError: ONNX Runtime cannot load it, or it is another kind of network.
    """

    def __init__(self, file_name: str, content: bytes) -> None:
        self._network = OnnxNetwork(file_name, content)
        answer = self._network.run(levels(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))[None])
        if [one.shape for one in answer] != [(1, 1)]:
            raise ModelError(f"{file_name}: this network was not made by 'trackblur train'")

    def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
        """Return the log odds of each box, as `Classifier` says; raises ModelError for NaN."""
        return np.array([self._answer(crop(image, box)) for box in boxes], np.float64)

    def _answer(self, one: Image) -> float:
        """Return the mean of a crop's log odds and its mirror image's, which errs less often."""
        planes = levels(one)
        both = [np.ascontiguousarray(side)[None] for side in (planes, planes[..., ::-1])]
        return float(np.mean([self._network.run(side) for side in both]))


def load_classifier(label: str, weights: Weights) -> CropClassifier | None:
    """Return the classifier of a class; None if there is no file for it.

    Raises:
        ModelError: The file is damaged.
    """
    file_name = FILES.get(label)
    if file_name is None or weights.find(file_name) is None:
        return None
    return CropClassifier(file_name, weights.read(file_name))
