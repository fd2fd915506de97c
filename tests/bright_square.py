"""A face for tests that is easy to find: a white square on a gray, textured wall."""

from __future__ import annotations

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image

SIZE = (320, 180)
SQUARE = Box.from_xywh(120, 60, 40, 40)
WALL: Image = np.asarray(
    cv2.GaussianBlur(np.random.default_rng(5).integers(60, 160, (180, 320, 3), np.uint8), (0, 0), 2)
)


class Bright:
    """A detector that finds what is white: one box around all of it."""

    default_confidence = 0.5
    low_confidence = 0.2

    def __init__(self, score: float = 0.6) -> None:
        self._score = score
        self.sizes: set[tuple[int, ...]] = set()
        self.confidences: set[float] = set()
        self.looked = 0

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        self.looked += 1
        self.sizes.add(image.shape)
        self.confidences.add(confidence)
        white = np.asarray(image.min(axis=2) > 205, np.uint8)
        if not white.any() or self._score < confidence:
            return []
        return [Detection(Box.from_xywh(*cv2.boundingRect(white)), self._score)]


class Blind:
    """A tracker that loses its face at once."""

    def start(self, image: Image, box: Box) -> None:
        pass

    def update(self, image: Image) -> Box | None:
        return None


class Stubborn:
    """A tracker whose face never moves."""

    def start(self, image: Image, box: Box) -> None:
        self._box = box

    def update(self, image: Image) -> Box | None:
        return self._box


def wall(square: Box | None = None) -> Image:
    """Return the wall, with the square if there is one."""
    picture = WALL.copy()
    if square is not None:
        left, top, right, bottom = square.clipped(*SIZE).outward()
        picture[top:bottom, left:right] = 255
    return picture
