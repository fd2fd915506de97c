"""SFace: a MobileFaceNet of OpenCV Zoo; needs weights (trackblur models pull sface).

Apache License 2.0. Paper: Zhong, Deng, Hu, Zhao, Li, Wen, "SFace: Sigmoid-Constrained Hypersphere
Loss for Robust Face Recognition", IEEE Transactions on Image Processing 30, 2021. Model card:
https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface. Neither the card nor
the license says which faces it was trained on, nor whether these people agreed.

OpenCV's sample takes two faces for one person's from a cosine of 0.363 on. Users report that
strangers reach it, and that 0.55 and more was needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.people.embedders import Thresholds, Vectors
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

FILE_NAME = "face_recognition_sface_2021dec.onnx"
WEIGHTS = ((FILE_NAME,),)


class SFace:
    """OpenCV's FaceRecognizerSF.

    Raises:
        ModelError: The weights are missing or damaged.
    """

    name = "sface"
    thresholds = Thresholds(  # above those measured for MobileFaceNet, by what users report
        same=0.55,
        keep=0.65,
        keep_second=0.5,
        keep_still=0.7,
        margin=0.15,
        changed=0.45,
        other=0.15,
        min_length=0.0,
        are_measured=False,
    )

    def __init__(self, weights: Weights) -> None:
        content = np.frombuffer(weights.read(FILE_NAME), np.uint8)
        with opencv_errors(FILE_NAME):
            self._network = cv2.FaceRecognizerSF.create("onnx", content, np.empty(0, np.uint8))
        check_network(FILE_NAME, self._embed)

    def embed(self, faces: Sequence[Image]) -> Vectors:
        """Return the embeddings of aligned faces, as `Embedder` says."""
        return embed_both_sides(FILE_NAME, self._embed, faces)

    def _embed(self, face: Image) -> npt.NDArray[Any]:
        return np.asarray(self._network.feature(face))


def load(weights: Weights) -> Embedder:
    """Return the embedder; raises ModelError when its weights are missing or damaged."""
    return SFace(weights)
