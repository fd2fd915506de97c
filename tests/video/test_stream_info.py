"""Display matrices against the orientations they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.core.frame import Orientation
from tracker_blur.video.stream_info import orientation

ONE = 1 << 16


def matrix(a: float, b: float, c: float, d: float) -> tuple[int, ...]:
    return round(a * ONE), round(b * ONE), 0, round(c * ONE), round(d * ONE), 0, 0, 0, 1 << 30


@pytest.mark.parametrize("a", [-1, 0, 1])
@pytest.mark.parametrize("b", [-1, 0, 1])
@pytest.mark.parametrize("c", [-1, 0, 1])
@pytest.mark.parametrize("d", [-1, 0, 1])
def test_a_pixel_goes_where_the_matrix_sends_it(a: int, b: int, c: int, d: int) -> None:
    if abs(a * d - b * c) != 1 or abs(a) + abs(b) != 1 or abs(c) + abs(d) != 1:
        return  # not a turn by a multiple of 90 degrees
    width, height = 5, 3
    stored = np.arange(width * height).reshape(height, width)
    sent = {
        (a * p + c * q, b * p + d * q): stored[q, p] for q in range(height) for p in range(width)
    }
    left, top = min(x for x, _ in sent), min(y for _, y in sent)
    upright = orientation(matrix(a, b, c, d)).upright(stored)
    assert upright.size == len(sent)
    for (x, y), value in sent.items():
        assert upright[y - top, x - left] == value


@given(angle=st.floats(-180, 180), mirrored=st.booleans(), scale=st.floats(0.5, 2))
def test_any_angle_becomes_the_nearest_quarter_turn(
    angle: float, mirrored: bool, scale: float
) -> None:
    cos, sin = math.cos(math.radians(angle)) * scale, math.sin(math.radians(angle)) * scale
    flip = -1 if mirrored else 1
    nearest = orientation(matrix(cos * flip, sin * flip, -sin, cos))
    plain = {
        0: (Orientation.UPRIGHT, Orientation.MIRRORED),
        1: (Orientation.ROTATED_90_CLOCKWISE, Orientation.TRANSVERSED),
        2: (Orientation.ROTATED_180, Orientation.FLIPPED),
        3: (Orientation.ROTATED_90_COUNTERCLOCKWISE, Orientation.TRANSPOSED),
    }
    off = (angle + 45) % 90
    if 1 < off < 89:  # away from the diagonals
        assert nearest is plain[round(angle / 90) % 4][mirrored]


def test_without_a_matrix_frames_are_upright() -> None:
    assert orientation(None) is Orientation.UPRIGHT
