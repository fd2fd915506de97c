"""A second look, enlarged, where a face must be."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bright_square import SIZE, SQUARE, Bright, wall
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.tracking.redetection import Redetector


@pytest.mark.parametrize("side", [12, 20, 53, 90, 150])
@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_a_face_is_found_where_it_is_in_pixels_of_the_picture(side: float, shift: float) -> None:
    square = Box.from_xywh(100, 15, side, side)
    found = Redetector(Bright()).find(wall(square), square.moved(shift * side, -shift * side))
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
def test_a_face_half_out_of_the_picture_is_found(square: Box) -> None:
    visible = square.clipped(*SIZE)
    found = Redetector(Bright()).find(wall(square), visible)
    assert found is not None
    assert found.box.iou(visible) > 0.8


def test_a_face_elsewhere_or_of_another_size_is_not_the_one_expected() -> None:
    look = Redetector(Bright())
    assert look.find(wall(SQUARE), SQUARE.moved(35, 0)) is None
    assert look.find(wall(SQUARE), SQUARE.padded(0.5)) is None
    assert look.find(wall(), SQUARE) is None


def test_of_several_finds_the_one_that_fits_best_counts() -> None:
    class Several(Bright):
        def detect(self, image: Image, confidence: float) -> list[Detection]:
            found = super().detect(image, confidence)
            wrong = [Detection(find.box.moved(12, 0), 0.99) for find in found]
            return [*wrong, *found, *wrong]

    found = Redetector(Several()).find(wall(SQUARE), SQUARE)
    assert found is not None
    assert found.score == 0.6


def test_it_is_less_strict_than_a_first_look_but_not_without_measure() -> None:
    detector = Bright(score=0.13)
    assert Redetector(detector).find(wall(SQUARE), SQUARE) is not None
    assert max(detector.confidences) < detector.low_confidence
    assert Redetector(Bright(score=0.11)).find(wall(SQUARE), SQUARE) is None


def test_the_detector_always_sees_pictures_of_one_size() -> None:
    detector = Bright()
    look = Redetector(detector)
    for box in (SQUARE, Box(0, 0, 6, 6), Box(5, 5, 300, 170), Box(-900, -900, -800, -800)):
        look.find(wall(SQUARE), box)
    assert len(detector.sizes) == 1


@pytest.mark.parametrize(
    "box", [Box(50, 50, 50, 80), Box(50, 50, 40, 40), Box(0, 0, float("nan"), 9)]
)
def test_where_nothing_can_be_nobody_looks(box: Box) -> None:
    detector = Bright()
    assert Redetector(detector).find(wall(SQUARE), box) is None
    assert detector.looked == 0


@pytest.mark.parametrize(
    "box", [Box(5000, 20, 5900, 800), Box(-3000, -3000, -2000, -2000), Box(-4e4, 0, 4e4, 180)]
)
def test_a_face_far_out_of_the_picture_is_not_found(box: Box) -> None:
    assert Redetector(Bright()).find(wall(SQUARE), box) is None


def test_the_picture_is_left_as_it_was() -> None:
    picture = wall(SQUARE)
    before = picture.copy()
    Redetector(Bright()).find(picture, SQUARE)
    np.testing.assert_array_equal(picture, before)
