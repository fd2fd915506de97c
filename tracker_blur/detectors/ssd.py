"""ResNet-10 SSD: OpenCV's classic network; needs weights (trackblur models pull ssd, or ssd-caffe).

Liu, Anguelov, Erhan et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv 1512.02325, with
a reduced ResNet-10; added to OpenCV in pull request 9516. BSD-3-Clause, as OpenCV was then.
How it was trained: opencv/samples/dnn/face_detector/how_to_train_face_detector.txt.

It looks at 300x300 pixels, where it sees faces of 24 pixels and more. Larger pictures are looked at
in overlapping tiles, and as halved copies until one tile holds the whole. The score is the
network's probability of a face.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector
from tracker_blur.detectors._networks import over_octaves, read_caffe, read_tensorflow
from tracker_blur.weights.store import Weights

_TENSORFLOW = ("opencv_face_detector_uint8.pb", "opencv_face_detector.pbtxt")
_CAFFE = ("deploy.prototxt", "res10_300x300_ssd_iter_140000.caffemodel")
WEIGHTS = (_TENSORFLOW, _CAFFE)

_INPUT_SIZE = (300, 300)
_MEAN_BGR = (104.0, 177.0, 123.0)
_FACE_CLASS = 1
_TILE_PX = 360
_OVERLAP_PX = 72  # a face up to this size lies whole in some tile; the next halving has the others
_TILE_BORDER_PX = 4
_LARGEST_IN_TILE = 0.5  # of the tile's side: more is seen better, and whole, in the next halving


class Ssd:
    """The network, run on one tile after the other: its TensorFlow graph takes no batches."""

    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self, network: cv2.dnn.Net) -> None:
        self._network = network

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""

        def look(picture: Image, octave: int) -> list[Detection]:
            return self._look(picture, confidence)

        return over_octaves(image, _TILE_PX, look)

    def _look(self, picture: Image, confidence: float) -> list[Detection]:
        height, width = picture.shape[:2]
        largest_px = _LARGEST_IN_TILE * _TILE_PX if max(height, width) > _TILE_PX else math.inf
        found: list[Detection] = []
        for left, top in _tiles(width, height):
            tile = picture[top : top + _TILE_PX, left : left + _TILE_PX]
            trusted = _trusted(left, top, width, height)
            for find in self._find(tile, confidence):
                box = find.box.moved(left, top)
                if box.size <= largest_px and trusted.covers(box):
                    found.append(Detection(box, find.score))
        return found

    def _find(self, tile: Image, confidence: float) -> list[Detection]:
        height, width = tile.shape[:2]
        self._network.setInput(cv2.dnn.blobFromImage(tile, 1.0, _INPUT_SIZE, _MEAN_BGR))
        # rows of picture, class, score, left, top, right, bottom, the sides as shares of the tile's
        rows = np.asarray(self._network.forward(), float).reshape(-1, 7).tolist()
        finds = (
            Detection(Box(*sides).scaled(width, height), min(1.0, score))
            for _, kind, score, *sides in rows
            if kind == _FACE_CLASS and score >= confidence
        )
        return [find for find in finds if not find.box.is_empty]


def _tiles(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Give the upper left corners of the tiles that cover a picture of this size."""
    return ((left, top) for top in _starts(height) for left in _starts(width))


def _starts(length: int) -> list[int]:
    if length <= _TILE_PX:
        return [0]
    count = math.ceil((length - _OVERLAP_PX) / (_TILE_PX - _OVERLAP_PX))
    return [round(i * (length - _TILE_PX) / (count - 1)) for i in range(count)]


def _trusted(left: int, top: int, width: int, height: int) -> Box:
    """Return where a find of the tile at (left, top) may lie: not across a border between tiles.

    A face that a tile cuts would get a box of its visible part, often several of them.
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
    return Ssd((read_tensorflow if names is _TENSORFLOW else read_caffe)(weights, *names))
