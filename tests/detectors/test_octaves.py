"""Looking at a picture and its halvings."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.boxes import Box, Detection
from tracker_blur.detectors._octaves import over_octaves
from tracker_blur.frames import Image

SIDES = st.integers(1, 1500)


@given(SIDES, SIDES, st.integers(1, 400))
def test_halves_until_the_picture_is_small_and_scales_boxes_back(
    width: int, height: int, smallest_px: int
) -> None:
    seen: list[tuple[int, int]] = []

    def look(picture: Image, octave: int) -> list[Detection]:
        assert octave == len(seen)
        rows, columns = picture.shape[:2]
        seen.append((columns, rows))
        return [Detection(Box(0, 0, columns, rows), 0.5)]  # all of the picture, at any size

    found = over_octaves(np.zeros((height, width, 3), np.uint8), smallest_px, look)
    assert seen[0] == (width, height)
    assert max(seen[-1]) <= smallest_px
    assert all(max(size) > smallest_px for size in seen[:-1])
    assert [find.box for find in found] == [Box(0, 0, width, height)]


def test_keeps_the_better_of_two_looks_at_one_face() -> None:
    def look(picture: Image, octave: int) -> list[Detection]:
        side = picture.shape[0]
        return [Detection(Box(0, 0, side / 2, side / (2 - 0.2 * octave)), 0.5 + 0.1 * octave)]

    assert over_octaves(np.zeros((100, 100, 3), np.uint8), 50, look) == [
        Detection(Box(0, 0, 50, 50 / 0.9), 0.6)
    ]
