"""Outlines are made once for a size, and are shared."""

from __future__ import annotations

import numpy as np
import pytest

from tracker_blur.redaction.masks import OPAQUE, masks
from tracker_blur.settings import Shape

STEPS = ((1, 1), (2, 2), (2, 2))


def test_a_size_is_made_once_and_cannot_be_written_to() -> None:
    first = masks("ellipse", (40, 60), (-4, -4, 44, 64), 0.1, (2, 2), STEPS, 8)
    again = masks("ellipse", (40, 60), (-4, -4, 44, 64), 0.1, (2, 2), STEPS, 8)
    assert all(one is other for one, other in zip(first, again, strict=True))
    for plane in first:
        with pytest.raises(ValueError, match="read-only"):
            plane[0, 0] = 1


def test_a_cut_window_is_a_part_of_the_whole() -> None:
    whole = masks("ellipse", (40, 60), (0, 0, 40, 60), 0.1, (2, 2), STEPS, 8)
    part = masks("ellipse", (40, 60), (10, 20, 40, 60), 0.1, (2, 2), STEPS, 8)
    np.testing.assert_array_equal(part[0], whole[0][20:, 10:])
    np.testing.assert_array_equal(part[1], whole[1][10:, 5:])


@pytest.mark.parametrize("shape", ["ellipse", "rectangle"])
def test_an_outline_is_symmetric(shape: Shape) -> None:
    (luma,) = masks(shape, (40, 60), (-8, -8, 48, 68), 0.2, (1, 1), ((1, 1),), 8)
    np.testing.assert_array_equal(luma, luma[::-1])
    np.testing.assert_array_equal(luma, luma[:, ::-1])


def test_chroma_is_as_opaque_as_the_most_opaque_pixel_it_covers() -> None:
    luma, chroma, _ = masks("ellipse", (40, 60), (-4, -4, 44, 64), 0.1, (2, 2), STEPS, 8)
    blocks = luma.reshape(34, 2, 24, 2).max(axis=(1, 3))
    np.testing.assert_array_equal(chroma, blocks)


def test_large_outlines_are_the_same_as_small_ones() -> None:
    small = masks("ellipse", (400, 600), (0, 0, 400, 600), 0.1, (2, 2), STEPS, 8)  # kept
    large = masks("ellipse", (400, 600), (-40, -60, 440, 660), 0.1, (2, 2), STEPS, 8)  # not
    np.testing.assert_array_equal(small[0], large[0][60:-60, 40:-40])
    assert large[0].max() == OPAQUE
