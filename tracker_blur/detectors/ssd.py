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
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
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
_TILE_PX = 360
_OVERLAP_PX = 72  # faces up to this size lie whole in some tile; the next level has the others
_TILE_BORDER_PX = 4
_LARGEST_IN_TILE = 0.5  # of the tile's side; the next level shows larger faces better, and whole


class Ssd:
    """The network, run on one tile after another: its TensorFlow graph takes no batches."""

    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self, name: str, network: cv2.dnn.Net) -> None:
        self._name = name
        self._network = network

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""

        def detect(reduced: Image, level: int) -> list[Detection]:
            return self._detect_in_tiles(reduced, confidence)

        return detect_in_pyramid(image, _TILE_PX, detect)

    def _detect_in_tiles(self, image: Image, confidence: float) -> list[Detection]:
        height, width = image.shape[:2]
        largest_px = _LARGEST_IN_TILE * _TILE_PX if max(height, width) > _TILE_PX else math.inf
        detections: list[Detection] = []
        for left, top in _tiles(width, height):
            tile = image[top : top + _TILE_PX, left : left + _TILE_PX]
            inner = _inner_area(left, top, width, height)
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


def _tiles(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield the upper left corners of the tiles that cover an image of this size."""
    return ((left, top) for top in _starts(height) for left in _starts(width))


def _starts(length: int) -> list[int]:
    if length <= _TILE_PX:
        return [0]
    count = math.ceil((length - _OVERLAP_PX) / (_TILE_PX - _OVERLAP_PX))
    return [round(i * (length - _TILE_PX) / (count - 1)) for i in range(count)]


def _inner_area(left: int, top: int, width: int, height: int) -> Box:
    """Return where detections in the tile at (left, top) may lie: off the borders between tiles.

    A face that a tile cuts gets a box around its visible part, often several boxes.
    """
    right, bottom = left + _TILE_PX, top + _TILE_PX
    return Box(
        left + _TILE_BORDER_PX if left > 0 else -math.inf,
        top + _TILE_BORDER_PX if top > 0 else -math.inf,
        right - _TILE_BORDER_PX if right < width else math.inf,
        bottom - _TILE_BORDER_PX if bottom < height else math.inf,
    )


def load(weights: Weights) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    names = weights.complete(WEIGHTS) or _TENSORFLOW
    network = (read_tensorflow if names is _TENSORFLOW else read_caffe)(weights, *names)
    return Ssd(" and ".join(names), network)
