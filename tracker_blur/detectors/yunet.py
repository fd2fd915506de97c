"""YuNet: a small and fast network; needs weights (trackblur models pull yunet).

75 k parameters, trained on WIDER FACE. MIT license. Paper: Wu, Peng, Yu, "YuNet: A Tiny
Millisecond-level Face Detector", Machine Intelligence Research 20, 2023. Model card:
https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet.

It detects faces of about 10 to 300 pixels; quartered copies of the image add larger ones. Halved
copies would cost four times as much and add little (docs/tracking.md). The score is the geometric
mean of the network's two probabilities, that of a face and that of a good box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.plugin_parameters import PluginParameters, number, whole_number
from tracker_blur.detectors._networks import (
    detect_in_pyramid,
    parse_network,
    read_buffer,
    run_network,
)

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.weights.store import Weights

WEIGHTS = (
    ("face_detection_yunet_2023mar.onnx",),
    ("face_detection_yunet_2026may.onnx",),  # the same weights in a graph with dynamic input size
)
_SMALLEST_PX = 320
_OCTAVES_PER_LEVEL = 2
_NMS_IOU = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    """What users may set; OpenCV's `FaceDetectorYN` has the same."""

    nms_threshold: float | None = number(
        None,
        0,
        1,
        "of two boxes with a larger IoU, the better stays",
        otherwise="0.3 at each level of the image pyramid, 0.4 between them",
    )
    top_k: int = whole_number(
        5000, 1, 100_000, "most candidates before that, at each level; a crowd has far fewer"
    )


_DEFAULTS = Parameters()


class YuNet:
    """OpenCV's FaceDetectorYN, with an instance for each level of the image pyramid.

    Changing the input size of one instance twice per image would cost as much as the detection.
    """

    default_confidence = 0.5
    low_confidence = 0.25
    takes_overlap = True

    def __init__(self, weights: Weights, parameters: Parameters = _DEFAULTS) -> None:
        """Load the network; raises ModelError."""
        (self._name,) = weights.complete(WEIGHTS) or WEIGHTS[0]
        self._content = read_buffer(weights, self._name)
        self._parameters = parameters
        self._networks = [self._network()]

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""
        iou = self._parameters.nms_threshold if overlap is None else overlap

        def detect(reduced: Image, level: int) -> list[Detection]:
            return self._detect(reduced, level, confidence, _NMS_IOU if iou is None else iou)

        return detect_in_pyramid(image, _SMALLEST_PX, detect, _OCTAVES_PER_LEVEL, nms_iou=iou)

    def _detect(self, image: Image, level: int, confidence: float, iou: float) -> list[Detection]:
        if level == len(self._networks):
            self._networks.append(self._network())
        network = self._networks[level]
        height, width = image.shape[:2]
        if tuple(network.getInputSize()) != (width, height):
            network.setInputSize((width, height))
        network.setScoreThreshold(confidence)
        network.setNMSThreshold(iou)
        rows = run_network(self._name, lambda: network.detect(image))[1]
        if rows is None:
            return []
        detections = (
            Detection(Box.from_xywh(x, y, box_width, box_height), min(1.0, score))
            for x, y, box_width, box_height, *_, score in np.asarray(rows, float).tolist()
            if score >= confidence
        )
        # For images a few pixels high, OpenCV sometimes returns boxes of nan.
        return [detection for detection in detections if not detection.box.is_empty]

    def _network(self) -> cv2.FaceDetectorYN:
        no_config, top_k = np.empty(0, np.uint8), self._parameters.top_k
        return parse_network(
            self._name,
            lambda: cv2.FaceDetectorYN.create(
                "onnx", self._content, no_config, (320, 320), 0.5, _NMS_IOU, top_k
            ),
        )


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    return YuNet(weights, parameters)
