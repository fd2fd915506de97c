"""What a crop shows of known faces is erased."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tracking.fakes import PORTRAIT, SQUARE, wall
from tracker_blur.core.box import Box
from tracker_blur.tracking.erasing import erased, faces_in_crop

BODY = Box(100, 100, 200, 200)


@pytest.mark.parametrize(
    ("face", "is_shown"),
    [
        (Box(130, 60, 170, 110), True),  # a head on it
        (Box(60, 100, 100, 140), True),  # next to it, and in the crop
        (Box(10, 100, 56, 140), False),  # mostly outside of the crop
        (Box(300, 100, 340, 140), False),
        (Box(110, 100, 200, 190), False),  # almost as large
    ],
)
def test_a_crop_shows_the_smaller_faces_around_a_box(face: Box, is_shown: bool) -> None:
    assert faces_in_crop(BODY, [face], 1.2, 0.3) == [face] * is_shown


def test_an_erased_face_has_one_color_and_the_rest_stays() -> None:
    image = wall(SQUARE)
    shown = erased(image, [SQUARE, Box(400, 400, 420, 420)])
    left, top, right, bottom = SQUARE.outward()
    assert (shown[top:bottom, left:right] == 255).all()
    box = Box(160, 40, 280, 200)
    without = erased(PORTRAIT, [box])
    left, top, right, bottom = box.outward()
    patch = without[top:bottom, left:right]
    assert (patch == patch[0, 0]).all()
    changed = (without != PORTRAIT).any(axis=2)
    changed[top:bottom, left:right] = False
    assert not changed.any()
    assert not np.shares_memory(without, PORTRAIT)
