"""One network for several classes runs once for each image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.tracking.shared_detector import SharedDetector

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


class Counting:
    default_confidence = 0.5
    low_confidence = 0.2

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        self.calls += 1
        return [Detection(Box(0, 0, 1, 1), float(image.max()) / 255)]


def image(width: int, value: int) -> Image:
    return np.full((20, width, 3), value, np.uint8)


def test_the_same_image_is_detected_on_once_at_each_of_its_sizes() -> None:
    detector = Counting()
    shared = SharedDetector(detector)
    assert (shared.default_confidence, shared.low_confidence) == (0.5, 0.2)
    for _ in range(5):  # classes
        for width in (10, 20, 30):
            assert shared.detect(image(width, 51), 0.1)[0].score == 0.2
    assert detector.calls == 3


def test_another_image_or_confidence_is_not_taken_for_the_same() -> None:
    detector = Counting()
    shared = SharedDetector(detector)
    changing = image(10, 51)
    for value in (51, 102, 255):
        changing[...] = value  # a caller may write into its image again
        assert shared.detect(changing, 0.1)[0].score == value / 255
    shared.detect(changing, 0.3)
    assert detector.calls == 4


def test_what_a_caller_does_with_its_list_is_not_seen_by_others() -> None:
    shared = SharedDetector(Counting())
    shared.detect(image(10, 51), 0.1).clear()
    assert len(shared.detect(image(10, 51), 0.1)) == 1
