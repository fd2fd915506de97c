"""YuNet: a small and fast network; needs weights (trackblur models pull yunet).

75 k parameters, trained on WIDER FACE. Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face
Detector", Machine Intelligence Research 20, 2023. Model card:
https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet. MIT license.

It sees faces of about 10 to 300 pixels. Quartered copies of the picture are looked at as well: they
show larger faces. Halved ones would cost four times as much and cover little more
(docs/tracking.md). The score is the root of the product of the network's two probabilities, that of
a face and that of a good box.
"""

from __future__ import annotations

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector
from tracker_blur.detectors._networks import buffer, over_octaves, read
from tracker_blur.weights.store import Weights

WEIGHTS = (
    ("face_detection_yunet_2023mar.onnx",),
    ("face_detection_yunet_2026may.onnx",),  # the same numbers in a graph of free input size
)
_SMALLEST_PX = 320
_OCTAVES_PER_STEP = 2
_NMS_IOU = 0.3
_TOP_K = 5000  # candidates before suppression; a crowd has far fewer


class YuNet:
    """cv2.FaceDetectorYN, with an instance for each reduction of the picture.

    Changing the size of one instance twice a picture would cost as much as looking itself.
    """

    default_confidence = 0.5
    low_confidence = 0.25

    def __init__(self, weights: Weights) -> None:
        """Read the network; raises ModelError."""
        (self._name,) = weights.complete(WEIGHTS) or WEIGHTS[0]
        self._content = buffer(weights, self._name)
        self._networks = [self._network()]

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""

        def look(picture: Image, step: int) -> list[Detection]:
            return self._look(picture, step, confidence)

        return over_octaves(image, _SMALLEST_PX, look, _OCTAVES_PER_STEP)

    def _look(self, picture: Image, step: int, confidence: float) -> list[Detection]:
        if step == len(self._networks):
            self._networks.append(self._network())
        network = self._networks[step]
        height, width = picture.shape[:2]
        if tuple(network.getInputSize()) != (width, height):
            network.setInputSize((width, height))
        network.setScoreThreshold(confidence)
        rows = network.detect(picture)[1]
        if rows is None:
            return []
        finds = (
            Detection(Box.from_xywh(x, y, box_width, box_height), min(1.0, score))
            for x, y, box_width, box_height, *_, score in np.asarray(rows, float).tolist()
            if score >= confidence
        )
        # Of pictures a few pixels high, OpenCV now and then makes boxes that are no numbers.
        return [find for find in finds if not find.box.is_empty]

    def _network(self) -> cv2.FaceDetectorYN:
        no_config = np.empty(0, np.uint8)
        return read(
            self._name,
            lambda: cv2.FaceDetectorYN.create(
                "onnx", self._content, no_config, (320, 320), 0.5, _NMS_IOU, _TOP_K
            ),
        )


def load(weights: Weights) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    return YuNet(weights)
