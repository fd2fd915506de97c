"""Masks are computed once for each size, then shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tracker_blur.redaction.masks import OPAQUE, Mask, masks, polygon_masks

if TYPE_CHECKING:
    from tracker_blur.settings import Shape

STEPS = ((1, 1), (2, 2), (2, 2))


def test_masks_are_cached_and_read_only() -> None:
    first = masks("ellipse", (40, 60), (-4, -4, 44, 64), 0.1, (2, 2), STEPS, 8)
    again = masks("ellipse", (40, 60), (-4, -4, 44, 64), 0.1, (2, 2), STEPS, 8)
    assert all(one is other for one, other in zip(first, again, strict=True))
    for plane in first:
        with pytest.raises(ValueError, match="read-only"):
            plane[0, 0] = 1


def test_a_cropped_window_is_part_of_the_whole() -> None:
    whole = masks("ellipse", (40, 60), (0, 0, 40, 60), 0.1, (2, 2), STEPS, 8)
    part = masks("ellipse", (40, 60), (10, 20, 40, 60), 0.1, (2, 2), STEPS, 8)
    np.testing.assert_array_equal(part[0], whole[0][20:, 10:])
    np.testing.assert_array_equal(part[1], whole[1][10:, 5:])


@pytest.mark.parametrize("shape", ["ellipse", "rectangle"])
def test_a_mask_is_symmetric(shape: Shape) -> None:
    (luma,) = masks(shape, (40, 60), (-8, -8, 48, 68), 0.2, (1, 1), ((1, 1),), 8)
    np.testing.assert_array_equal(luma, luma[::-1])
    np.testing.assert_array_equal(luma, luma[:, ::-1])


def test_chroma_takes_the_largest_value_of_the_pixels_it_covers() -> None:
    luma, chroma, _ = masks("ellipse", (40, 60), (-4, -4, 44, 64), 0.1, (2, 2), STEPS, 8)
    blocks = luma.reshape(34, 2, 24, 2).max(axis=(1, 3))
    np.testing.assert_array_equal(chroma, blocks)


def test_uncached_masks_equal_cached_ones() -> None:
    small = masks("ellipse", (400, 600), (0, 0, 400, 600), 0.1, (2, 2), STEPS, 8)  # cached
    large = masks("ellipse", (400, 600), (-40, -60, 440, 660), 0.1, (2, 2), STEPS, 8)  # not cached
    np.testing.assert_array_equal(small[0], large[0][60:-60, 40:-40])
    assert large[0].max() == OPAQUE


@pytest.mark.parametrize(("side", "count"), [(60, 400), (150, 100)])
def test_the_masks_of_a_whole_crowd_are_kept(side: int, count: int) -> None:
    def made() -> list[tuple[Mask, ...]]:
        return [
            masks("ellipse", (side, side), (0, 0, side, side), number / 1000, (2, 2), STEPS, 8)
            for number in range(count)
        ]

    for one, other in zip(made(), made(), strict=True):
        assert one[0] is other[0]


def test_masks_of_large_faces_are_not_kept() -> None:
    window = (0, 0, 600, 600)
    one, other = (masks("ellipse", (600, 600), window, 0.1, (2, 2), STEPS, 8) for _ in range(2))
    assert one[0] is not other[0]


def test_every_pixel_that_a_polygon_touches_is_opaque_and_few_others() -> None:
    random, fine = np.random.default_rng(0), 8
    for _ in range(40):
        corners = random.uniform(-30, 90, (3, 2))
        luma, chroma, _ = polygon_masks([(x, y) for x, y in corners], (59, 41), (2, 2), STEPS, 8)
        ys, xs = (np.mgrid[: 41 * fine, : 59 * fine] + 0.5) / fine
        inside = np.zeros(xs.shape, bool)
        for (x, y), (other_x, other_y) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
            crosses = (y > ys) != (other_y > ys)
            inside ^= crosses & (xs < x + (ys - y) * (other_x - x) / (other_y - y))
        touched = inside.reshape(41, fine, 59, fine).any(axis=(1, 3))
        assert (luma[:41, :59][touched] == OPAQUE).all()
        rows, columns = np.nonzero(touched)
        assert (chroma[rows // 2, columns // 2] == OPAQUE).all()
        assert (luma[:41, :59] == OPAQUE).sum() <= touched.sum() + 2.5 * (59 + 41 + 60)
    far = [(-100_000.0, -100_000.0), (100_000.0, -100_000.0), (100_000.0, 100_000.0)]
    (luma,) = polygon_masks(far, (50, 40), (1, 1), ((1, 1),), 10)
    assert (luma[0, 49], luma[39, 0]) == (OPAQUE, 0)
    assert luma.dtype == np.int32
