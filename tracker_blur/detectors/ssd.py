"""ResNet-10 SSD: OpenCV's classic network; needs weights (trackblur models pull ssd, or ssd-caffe).

Paper: Liu, Anguelov, Erhan et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv
1512.02325, with a reduced ResNet-10; added to OpenCV in pull request 9516. BSD-3-Clause, as OpenCV
was then. How it was trained: opencv/samples/dnn/face_detector/how_to_train_face_detector.txt.

Its input is 300x300 pixels, in which it detects faces of 24 pixels and more. Larger images are cut
into overlapping tiles, and halved until one tile holds the whole. The score is the network's
probability of a face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.plugin_parameters import PluginParameters, number, whole_number
from tracker_blur.detectors._networks import (
    detect_in_pyramid,
    read_caffe,
    read_tensorflow,
    run_network,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.weights.store import Weights

_TENSORFLOW = ("opencv_face_detector_uint8.pb", "opencv_face_detector.pbtxt")
_CAFFE = ("deploy.prototxt", "res10_300x300_ssd_iter_140000.caffemodel")
WEIGHTS = (_TENSORFLOW, _CAFFE)

_INPUT_SIZE = (300, 300)
_MEAN_BGR = (104.0, 177.0, 123.0)
_FACE_CLASS = 1
_TILE_BORDER_PX = 4
_LARGEST_IN_TILE = 0.5  # of the tile's side; the next level shows larger faces better, and whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    """What users may set."""

    tile_size: int = whole_number(
        360,
        100,
        10_000,
        "side of a tile, in pixels of the view; larger ones are quicker and see less. From the "
        "view's size on, there is one tile, as in most programs",
    )
    tile_overlap: float = number(
        0.2,
        0.1,
        0.6,
        "share of a tile's side by which neighbors overlap; faces up to that lie whole in some "
        "tile, and reduced copies have the others",
    )
    nms_threshold: float = number(
        0.4, 0, 1, "of two boxes of different tiles or copies with a larger IoU, the better stays"
    )


_DEFAULTS = Parameters()


class Ssd:
    """The network, run on one tile after another: its TensorFlow graph takes no batches."""

    default_confidence = 0.5
    low_confidence = 0.3
    takes_overlap = True

    def __init__(self, name: str, network: cv2.dnn.Net, parameters: Parameters) -> None:
        self._name = name
        self._network = network
        self._tiles = _Tiles(parameters.tile_size, parameters.tile_overlap)
        self._nms_threshold = parameters.nms_threshold

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""

        def detect(reduced: Image, level: int) -> list[Detection]:
            return self._detect_in_tiles(reduced, confidence)

        iou = self._nms_threshold if overlap is None else overlap
        return detect_in_pyramid(image, self._tiles.side_px, detect, nms_iou=iou)

    def _detect_in_tiles(self, image: Image, confidence: float) -> list[Detection]:
        height, width = image.shape[:2]
        side_px = self._tiles.side_px
        largest_px = _LARGEST_IN_TILE * side_px if max(height, width) > side_px else math.inf
        detections: list[Detection] = []
        for left, top in self._tiles.corners(width, height):
            tile = image[top : top + side_px, left : left + side_px]
            inner = self._tiles.inner_area(left, top, width, height)
            for detection in self._detect_in_tile(tile, confidence):
                box = detection.box.moved(left, top)
                if box.size <= largest_px and inner.covers(box):
                    detections.append(Detection(box, detection.score))
        return detections

    def _detect_in_tile(self, tile: Image, confidence: float) -> list[Detection]:
        height, width = tile.shape[:2]
        self._network.setInput(cv2.dnn.blobFromImage(tile, 1.0, _INPUT_SIZE, _MEAN_BGR))
        # rows of image, class, score, left, top, right, bottom; sides are fractions of the tile's
        output = run_network(self._name, self._network.forward)
        rows = np.asarray(output, float).reshape(-1, 7).tolist()
        detections = (
            Detection(Box(*sides).scaled(width, height), min(1.0, score))
            for _, class_number, score, *sides in rows
            if class_number == _FACE_CLASS and score >= confidence
        )
        return [detection for detection in detections if not detection.box.is_empty]


@dataclass(frozen=True, slots=True)
class _Tiles:
    """Overlapping squares that cover an image.

    Attributes:
        side_px: Their side.
        overlap_share: The share of it by which neighbors overlap at least.
    """

    side_px: int
    overlap_share: float

    @property
    def overlap_px(self) -> int:
        """By how much neighbors overlap at least."""
        return round(self.overlap_share * self.side_px)

    def corners(self, width: int, height: int) -> Iterator[tuple[int, int]]:
        """Yield the upper left corners of the tiles that cover an image of this size."""
        return ((left, top) for top in self.starts(height) for left in self.starts(width))

    def starts(self, length: int) -> list[int]:
        """Return where tiles begin along a side of this length."""
        if length <= self.side_px:
            return [0]
        overlap = self.overlap_px
        count = math.ceil((length - overlap) / (self.side_px - overlap))
        return [round(i * (length - self.side_px) / (count - 1)) for i in range(count)]

    def inner_area(self, left: int, top: int, width: int, height: int) -> Box:
        """Return where detections in the tile at (left, top) may lie: off borders between tiles.

        A face that a tile cuts gets a box around its visible part, often several boxes.
        """
        right, bottom = left + self.side_px, top + self.side_px
        return Box(
            left + _TILE_BORDER_PX if left > 0 else -math.inf,
            top + _TILE_BORDER_PX if top > 0 else -math.inf,
            right - _TILE_BORDER_PX if right < width else math.inf,
            bottom - _TILE_BORDER_PX if bottom < height else math.inf,
        )


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    names = weights.complete(WEIGHTS) or _TENSORFLOW
    network = (read_tensorflow if names is _TENSORFLOW else read_caffe)(weights, *names)
    return Ssd(" and ".join(names), network, parameters)
