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
    assert inner.max() < 145


def test_a_crop_is_what_resizing_shows() -> None:
    box = Box(100, 60, 132, 92)
    wanted = cv2.resize(GRADIENT[44:108, 84:148], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    difference = np.abs(crop(GRADIENT, box).astype(int) - wanted)
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


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_dark_crop_is_brightened_like_a_light_one(share: float) -> None:
    light = crop(GRADIENT, Box.around((160, 0), 60, 60))  # half of it lies beyond the border
    light = np.where(light == 127, 127, np.minimum(light, 149))
    dark = np.where(light == 127, light, (light * share).astype(np.uint8))
    shown = brightened(dark)
    assert (shown[light == 127] == 127).all()
    inside = shown[light != 127].astype(int)
    assert inside.max() == pytest.approx(150, abs=15)
    assert np.corrcoef(inside, light[light != 127])[0, 1] > 0.999


def test_a_light_crop_stays_as_it_is_and_darkness_is_not_made_noise() -> None:
    light = np.full((SIDE_PX, SIDE_PX, 3), 90, np.uint8)
    light[20:40] = 160
    assert brightened(light) is light
    black = np.full_like(light, 3)
    assert brightened(black).max() == 12  # four times as light, no more
    gray = np.full_like(light, 127)
    np.testing.assert_array_equal(brightened(gray), gray)
