"""Re-detection in an enlarged crop, where a face must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.tracking.fakes import SIZE, SQUARE, BrightDetector, redetector, wall
from tracker_blur.core.box import Box, Detection
from tracker_blur.tracking.extra_detection import Way

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


@pytest.mark.parametrize("side", [12, 20, 53, 90, 150])
@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_a_face_is_detected_in_pixels_of_the_image(side: float, shift: float) -> None:
    square = Box.from_xywh(100, 15, side, side)
    found = redetector().detect(wall(square), square.moved(shift * side, -shift * side))
    assert found is not None
    assert found.box.iou(square) > 0.85
    assert found.score == 0.6


@pytest.mark.parametrize(
    "square",
    [
        Box.from_xywh(-10, -10, 40, 40),
        Box.from_xywh(295, 150, 40, 40),
        Box.from_xywh(-60, 20, 150, 150),
    ],
)
def test_a_face_half_outside_the_image_is_detected(square: Box) -> None:
    visible = square.clipped(*SIZE)
    found = redetector().detect(wall(square), visible)
    assert found is not None
    assert found.box.iou(visible) > 0.8


def test_a_face_elsewhere_or_of_another_size_is_not_the_expected_one() -> None:
    assert redetector().detect(wall(SQUARE), SQUARE.moved(35, 0)) is None
    assert redetector().detect(wall(SQUARE), SQUARE.padded(0.5)) is None
    assert redetector().detect(wall(), SQUARE) is None


def test_of_several_detections_the_one_that_overlaps_most_counts() -> None:
    class Several(BrightDetector):
        def detect(self, image: Image, confidence: float) -> list[Detection]:
            right = super().detect(image, confidence)
            wrong = [Detection(found.box.moved(12, 0), 0.99) for found in right]
            return [*wrong, *right, *wrong]

    found = redetector(Several()).detect(wall(SQUARE), SQUARE)
    assert found is not None
    assert found.score == 0.6


def test_the_threshold_is_lower_than_in_whole_views_but_not_zero() -> None:
    detector = BrightDetector(score=0.13)
    assert redetector(detector).detect(wall(SQUARE), SQUARE) is not None
    assert max(detector.confidences) < detector.low_confidence
    assert redetector(BrightDetector(score=0.11)).detect(wall(SQUARE), SQUARE) is None


def test_the_detector_always_gets_images_of_one_size() -> None:
    detector = BrightDetector()
    again = redetector(detector)
    for box in (SQUARE, Box(0, 0, 6, 6), Box(5, 5, 300, 170), Box(-900, -900, -800, -800)):
        again.detect(wall(SQUARE), box)
    assert len(detector.shapes) == 1


@pytest.mark.parametrize(
    "box", [Box(50, 50, 50, 80), Box(50, 50, 40, 40), Box(0, 0, float("nan"), 9)]
)
def test_the_detector_does_not_run_for_an_empty_box(box: Box) -> None:
    detector = BrightDetector()
    assert redetector(detector).detect(wall(SQUARE), box) is None
    assert detector.calls == 0


@pytest.mark.parametrize(
    "box", [Box(5000, 20, 5900, 800), Box(-3000, -3000, -2000, -2000), Box(-4e4, 0, 4e4, 180)]
)
def test_a_face_far_outside_the_image_is_not_detected(box: Box) -> None:
    assert redetector().detect(wall(SQUARE), box) is None


def test_the_image_is_left_unchanged() -> None:
    image = wall(SQUARE)
    before = image.copy()
    redetector().detect(image, SQUARE)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_crop_may_be_turned(quarters: int) -> None:
    oblong = Box.from_xywh(100, 60, 60, 40)
    found = redetector().detect(wall(oblong), oblong.moved(4, -3), Way(0, quarters))
    assert found is not None
    assert found.box.iou(oblong) > 0.85
