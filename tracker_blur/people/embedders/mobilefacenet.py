"""MobileFaceNet: a network of 1 M parameters, for development; its file is not to be downloaded.

Paper: Chen, Liu, Gao, Han, "MobileFaceNets", CCBR 2018, arXiv 1804.07573. The file comes without a
license and without a word on the faces that it was trained on, so there is no `models pull` for it:
if you have it, put it into a folder of weights. Thresholds are only right for the file that they
were measured with, so it must be that one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.errors import ModelError
from tracker_blur.people.embedders import SIDE_PX, Thresholds, Vectors
from tracker_blur.people.embedders._vectors import (
    check_network,
    embed_both_sides,
    opencv_errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.people.embedders import Embedder
    from tracker_blur.weights.store import Weights

FILE_NAME = "mobilefacenet.onnx"
SHA256 = "f055d9c9a4d826d198c42666590fdefa0fdc1374a75ccb6306c3d1b1bf8f74c5"
WEIGHTS = ((FILE_NAME,),)

_MEAN, _SCALE = 127.5, 1 / 128


class MobileFaceNet:
    """The network in OpenCV.

    Raises:
        ModelError: The weights are missing, or others than those that were measured.
    """

    name = "mobilefacenet"
    thresholds = Thresholds(
        same=0.45,
        keep=0.55,
        keep_second=0.4,
        keep_still=0.6,
        margin=0.15,
        changed=0.35,
        other=0.2,
        min_length=10.5,
    )

    def __init__(self, weights: Weights) -> None:
        content = weights.read(FILE_NAME)
        if hashlib.sha256(content).hexdigest() != SHA256:
            raise ModelError(
                f"{weights.path(FILE_NAME)}: not the file whose thresholds are known (its SHA-256 "
                f"is not {SHA256[:12]}…): remove it, or run 'trackblur models pull sface'"
            )
        with opencv_errors(FILE_NAME):
            self._network = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
        check_network(FILE_NAME, self._embed)

    def embed(self, faces: Sequence[Image]) -> Vectors:
        """Return the embeddings of aligned faces, as `Embedder` says."""
        return embed_both_sides(FILE_NAME, self._embed, faces)

    def _embed(self, face: Image) -> npt.NDArray[Any]:
        size, mean = (SIDE_PX, SIDE_PX), (_MEAN, _MEAN, _MEAN)
        self._network.setInput(cv2.dnn.blobFromImage(face, _SCALE, size, mean, swapRB=True))
        return np.array(self._network.forward())


def load(weights: Weights) -> Embedder:
    """Return the embedder; raises ModelError when its weights are missing or others."""
    return MobileFaceNet(weights)
