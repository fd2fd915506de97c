"""Detectors, trackers and images for tests of tracking.

One face is easy to detect: a white square on a gray, textured wall. The other is a real portrait
that moves by known steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tests.detectors.face_images import portrait
from tracker_blur.core import plugins
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.trackers import Tracker

PARAMETERS = TrackingParameters()
RATE = 25.0

SIZE = (320, 180)
SQUARE = Box.from_xywh(120, 60, 40, 40)
WALL: Image = np.asarray(
    cv2.GaussianBlur(np.random.default_rng(5).integers(60, 160, (180, 320, 3), np.uint8), (0, 0), 2)
)

PORTRAIT = portrait()
FACE = Box.from_xywh(176, 60, 96, 120)
"""Where the face is in the portrait."""


def wall(square: Box | None = None) -> Image:
    """Return the wall, with the square if there is one."""
    image = WALL.copy()
    if square is not None:
        left, top, right, bottom = square.clipped(*SIZE).outward()
        image[top:bottom, left:right] = 255
    return image


def shifted(dx: float, dy: float = 0.0) -> Image:
    """Return the portrait, moved by this many pixels."""
    motion = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(PORTRAIT, motion, (512, 512), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


class BrightDetector:
    """Detects what is white: one box around all of it."""

    default_confidence = 0.5
    low_confidence = 0.2

    def __init__(self, score: float = 0.6) -> None:
        self._score = score
        self.shapes: set[tuple[int, ...]] = set()
        self.confidences: set[float] = set()
        self.calls = 0

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        self.calls += 1
        self.shapes.add(image.shape)
        self.confidences.add(confidence)
        white = np.asarray(image.min(axis=2) > 205, np.uint8)
        if not white.any() or self._score < confidence:
            return []
        return [Detection(Box.from_xywh(*cv2.boundingRect(white)), self._score)]


class ScriptedDetector:
    """Returns, at its nth call, the nth list of detections."""

    default_confidence = 0.5
    low_confidence = 0.2

    def __init__(self, script: Sequence[Sequence[Detection]]) -> None:
        self._script = list(script)
        self.calls = 0

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        detections = self._script[self.calls] if self.calls < len(self._script) else []
        self.calls += 1
        return [found for found in detections if found.score >= confidence]


class ScriptedClassifier:
    """Returns the same log odds for every box, or those of the first named box that it meets."""

    def __init__(self, log_odds: float, of_boxes: Sequence[tuple[Box, float]] = ()) -> None:
        self._log_odds = log_odds
        self._of_boxes = of_boxes
        self.asked: list[Box] = []

    def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
        self.asked += boxes
        return np.array([self._of(box) for box in boxes], np.float64)

    def _of(self, box: Box) -> float:
        known = (odds for other, odds in self._of_boxes if other.iou(box) > 0.3)
        return next(known, self._log_odds)


def detection(box: Box, score: float = 0.9) -> Detection:
    return Detection(box, score)


class LosingTracker:
    """Loses its face at once."""

    def start(self, image: Image, box: Box) -> None:
        pass

    def update(self, image: Image) -> Box | None:
        return None


class StillTracker:
    """Says that its face never moves."""

    def start(self, image: Image, box: Box) -> None:
        self._box = box

    def update(self, image: Image) -> Box | None:
        return self._box


def csrt() -> Callable[[], Tracker]:
    """Return a factory of CSRT trackers."""
    factory: Callable[[], Tracker] = plugins.load("tracker_blur.trackers", "csrt").load(
        Weights(None)
    )
    return factory


def redetector(detector: BrightDetector | None = None) -> Redetector:
    return Redetector([detector or BrightDetector()], PARAMETERS)
