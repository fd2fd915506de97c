"""A crop shows a box at one size, with its surroundings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.classifiers.crops import (
    CONTEXT_RATIO,
    SIDE_PX,
    brightened,
    crop,
    levels,
    shown_pixels,
    transformed,
)
from tracker_blur.core.box import Box

GRADIENT = np.repeat(
    np.add.outer(np.arange(240), np.arange(320)).astype(np.uint8)[..., None] // 3, 3, 2
)


def square(box: Box, size: tuple[int, int] = (320, 240)) -> np.ndarray:
    """Return a black image with a white box."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    left, top, right, bottom = box.clipped(*size).outward()
    image[top:bottom, left:right] = 255
    return image


@pytest.mark.parametrize("side", [10, 32, 100, 230])
def test_a_box_takes_the_same_part_of_the_crop_at_any_size(side: float) -> None:
    box = Box.around((160, 120), side, side)
    white = crop(square(box), box)[..., 0] > 127
    rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
    for found in (rows, columns):
        assert len(found) == pytest.approx(SIDE_PX / CONTEXT_RATIO, abs=3)
        assert found.mean() == pytest.approx(SIDE_PX / 2 - 0.5, abs=1)


def test_a_crop_keeps_the_shape_of_what_it_shows() -> None:
    box = Box.around((160, 120), 40, 90)
    white = crop(square(box), box)[..., 0] > 127
    assert white.any(0).sum() / white.any(1).sum() == pytest.approx(40 / 90, abs=0.05)


def test_beyond_the_border_it_is_gray() -> None:
    shown = crop(square(Box(0, 0, 320, 240)), Box.around((0, 120), 40, 40))
    assert (shown[:, : SIDE_PX // 2 - 1] == 127).all()
    assert (shown[:, SIDE_PX // 2 + 1 :] == 255).all()


def test_what_is_reduced_a_lot_is_averaged() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    inner = crop(stripes, Box(0, 0, 400, 400))[20:44, 20:44]
    assert inner.min() > 110
    assert inner.max() < 155


def test_a_crop_is_what_resizing_shows() -> None:
    box = Box(100, 60, 132, 92)
    light = 255 - GRADIENT
    wanted = cv2.resize(light[44:108, 84:148], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    difference = np.abs(crop(light, box).astype(int) - wanted)
    assert difference.max() <= 1


@given(
    x=st.floats(-500, 800),
    y=st.floats(-500, 800),
    width=st.floats(0, 700),
    height=st.floats(0, 700),
)
def test_any_box_gives_a_crop(x: float, y: float, width: float, height: float) -> None:
    before = GRADIENT.copy()
    shown = crop(GRADIENT, Box.from_xywh(x, y, width, height))
    assert shown.shape == (SIDE_PX, SIDE_PX, 3)
    assert (before == GRADIENT).all()


def test_a_matrix_may_turn_what_it_shows() -> None:
    turn = np.array([[0.0, 1.0, -88.0], [-1.0, 0.0, 192.0]])  # around (160, 120), counterclockwise
    upright = transformed(GRADIENT, np.array([[1.0, 0.0, -128.0], [0.0, 1.0, -88.0]]))
    assert np.abs(transformed(GRADIENT, turn).astype(int) - np.rot90(upright)).max() <= 1


def test_the_network_gets_planes_around_zero() -> None:
    planes = levels(np.full((SIDE_PX, SIDE_PX, 3), (255, 127, 0), np.uint8))
    assert planes.shape == (3, SIDE_PX, SIDE_PX)
    assert planes.dtype == np.float32
    assert planes[:, 0, 0].tolist() == pytest.approx([1.9921875, -0.0078125, -1.9921875])


ALL = np.ones((SIDE_PX, SIDE_PX), bool)


@pytest.mark.parametrize("share", [0.4, 0.8])
@pytest.mark.parametrize("center", [(160, 120), (0, 120), (319, 239)])
def test_a_dark_image_is_shown_like_a_light_one(share: float, center: tuple[int, int]) -> None:
    light = (GRADIENT.astype(float) * 150 / GRADIENT.max()).astype(np.uint8)
    box = Box.around(center, 200, 200)  # much of it may lie beyond the border
    dark = crop((light * share).astype(np.uint8), box)
    expected = crop(light, box)
    assert np.abs(dark.astype(int) - expected).mean() < 4
    assert np.percentile(dark, 99) == pytest.approx(150, abs=25)


def test_a_light_crop_stays_as_it_is_and_darkness_is_not_made_noise() -> None:
    light = np.full((SIDE_PX, SIDE_PX, 3), 90, np.uint8)
    light[20:40] = 160
    assert brightened(light, ALL) is light
    black = np.full_like(light, 3)
    assert brightened(black, ALL).max() == 12  # four times as light, no more
    gray = np.full_like(light, 127)
    np.testing.assert_array_equal(brightened(gray, ~ALL), gray)


def test_what_lies_beyond_the_border_neither_changes_nor_counts() -> None:
    image = np.full((240, 320, 3), 30, np.uint8)
    shown = crop(image, Box.around((0.3, 120.2), 60, 60))
    levels_shown, counts = np.unique(shown, return_counts=True)
    common = levels_shown[counts > 200].tolist()
    assert common == [120, 127]  # what is shown, four times as light, and the gray
    assert shown.max() == 127  # where both are mixed, nothing is lighter than either


def test_gray_in_the_image_is_not_taken_for_the_border() -> None:
    image = np.full((240, 320, 3), 40, np.uint8)
    image[:, 150:170:4] = 127
    shown = crop(image, Box.around((160, 120), 32, 32))
    assert (shown[:, 32] >= shown[:, 0]).all()


@given(st.floats(0.2, 3), st.floats(0, 360), st.floats(-40, 360), st.floats(-40, 280))
def test_the_pixels_that_are_shown_have_none_of_the_gray(
    scale: float, degrees: float, x: float, y: float
) -> None:
    motion = np.array(cv2.getRotationMatrix2D((x, y), degrees, scale), np.float64)
    motion[:, 2] += SIDE_PX / 2 - np.array((x, y))
    image = np.full((240, 320, 3), 255, np.uint8)
    is_shown = shown_pixels(image, motion)
    assert (transformed(image, motion)[is_shown] == 255).all()
    area = np.count_nonzero((transformed(image, motion) == 255).all(2))
    assert is_shown.sum() > 0.8 * area - 4 * SIDE_PX
