"""Classifiers: whether a place in an image shows what a detector took it for.

A detector decides in a fraction of a microsecond for each place. A classifier sees one place at a
fixed size with its surroundings, so it errs less often, and it is run on few places.
`models/verify.onnx` knows faces and heads, `models/verify_plate.onnx` license plates; cards:
`models/verify.md`, `models/verify_plate.md`. `trackblur train --task verify` makes such files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.classifiers.crops import SIDE_PX, crop, levels
from tracker_blur.errors import ModelError

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
        ModelError: OpenCV cannot read it, or it is another kind of network.
    """

    def __init__(self, file_name: str, content: bytes) -> None:
        self._file_name = file_name
        try:
            self._network = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
            answer = self._answer(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))
        except cv2.error as error:
            reason = " ".join(str(error.err).split())
            raise ModelError(
                f"{file_name}: OpenCV {cv2.__version__} cannot use this network ({reason}): get "
                "the file again"
            ) from error
        if answer.shape != (2,):
            raise ModelError(f"{file_name}: this network was not made by 'trackblur train'")
        self._check(answer)

    def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
        """Return the log odds of each box, as `Classifier` says; raises ModelError for no number.

        Without a number nothing can be decided, and what is decided hides faces.
        """
        odds = np.zeros(len(boxes))
        for index, box in enumerate(boxes):
            # One by one: a batch of another size would make OpenCV plan the network again.
            odds[index] = self._answer(crop(image, box)).mean()
        self._check(odds)
        return odds

    def _answer(self, one: Image) -> npt.NDArray[np.float32]:
        """Return the log odds of a crop and of its mirror image: their mean is mistaken less."""
        planes = levels(one)
        self._network.setInput(np.stack([planes, planes[..., ::-1]]))
        return np.ravel(np.asarray(self._network.forward(), np.float32))

    def _check(self, odds: npt.NDArray[np.floating]) -> None:
        if not np.isfinite(odds).all():
            raise ModelError(f"{self._file_name}: its answers are no numbers: get the file again")


def load_classifier(label: str, weights: Weights) -> CropClassifier | None:
    """Return the classifier of a class; None if there is no file for it.

    Raises:
        ModelError: The file is damaged.
    """
    file_name = FILES.get(label)
    if file_name is None or weights.find(file_name) is None:
        return None
    return CropClassifier(file_name, weights.read(file_name))
