"""Blocks: the same in all planes, and a mask that contains the ellipse and follows them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import LAYOUTS, noise_frame
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction.blocks import ellipse_masks, spread
from tracker_blur.redaction.masks import OPAQUE, masks
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

GRIDS = st.sampled_from([(1, 1), (2, 2), (4, 1), (1, 2)])
SIDES = st.integers(1, 40)


@given(GRIDS, SIDES, SIDES, st.sampled_from([(12, 9), (9, 12), (5, 5)]))
def test_the_ellipse_is_covered(
    grid: tuple[int, int], across: int, down: int, blocks: tuple[int, int]
) -> None:
    width, height = across * grid[0], down * grid[1]
    steps = ((1, 1), grid)
    area = width + 2 * grid[0], height + 2 * grid[1]
    covered = ellipse_masks(blocks, area, (0, 0, *area), grid, steps, 8)
    window = (-grid[0], -grid[1], width + grid[0], height + grid[1])
    ellipse = masks("ellipse", (width, height), window, 0.0, grid, steps, 8)
    for mine, inner in zip(covered, ellipse, strict=True):
        assert mine.shape == inner.shape
        assert set(np.unique(mine)) <= {0, OPAQUE}
        assert (mine[inner == OPAQUE] == OPAQUE).all()


def test_corners_are_left_and_little_is_added() -> None:
    """As much as the soft edge of another method: a twentieth of the size on each side."""
    (covered,) = ellipse_masks((12, 9), (154, 200), (0, 0, 154, 200), (1, 1), ((1, 1),), 8)
    assert not covered[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    share = float((covered > 0).mean()) / (np.pi / 4)
    assert 1.1 < share < 1.2


def test_the_edge_follows_the_blocks() -> None:
    (covered,) = ellipse_masks((12, 9), (90, 120), (0, 0, 90, 120), (1, 1), ((1, 1),), 8)
    cells = covered.reshape(12, 10, 9, 10)
    assert (cells == cells[:, :1, :, :1]).all()


@pytest.mark.parametrize("step", [(1, 1), (2, 2), (2, 1)])
def test_no_block_divides_a_chroma_sample(step: tuple[int, int]) -> None:
    values = np.arange(108).reshape(12, 9)
    luma = spread(values, (110, 130), (0, 0, 110, 130), (2, 2), (1, 1))
    plane = spread(values, (110, 130), (0, 0, 110, 130), (2, 2), step)
    np.testing.assert_array_equal(luma[:: step[1], :: step[0]], plane)
    np.testing.assert_array_equal(luma[::2, ::2], luma[1::2, 1::2])


def test_a_window_shows_the_same_blocks() -> None:
    values = np.arange(108).reshape(12, 9)
    whole = spread(values, (90, 120), (0, 0, 90, 120), (1, 1), (1, 1))
    part = spread(values, (90, 120), (33, 20, 70, 120), (1, 1), (1, 1))
    np.testing.assert_array_equal(part, whole[20:120, 33:70])


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    box=st.builds(
        Box.from_xywh, st.floats(-40, 70), st.floats(-40, 70), st.floats(0.01, 80), st.floats(1, 80)
    ),
    feather=st.sampled_from([0.0, 0.05]),
)
def test_mosaic_hides_all_that_a_color_would_hide(
    layout: str, size: tuple[int, int], box: Box, feather: float
) -> None:
    """The samples that solid replaces entirely do not reach the output of mosaic either."""
    face = Face(1, box, 1.0, Origin.DETECTED)
    ends = []
    for seed in (1, 2):
        frame = noise_frame(layout, size, seed=seed)
        FrameRedactor(Settings(method="mosaic", feather_ratio=feather)).redact(frame, [face])
        ends.append(frame.samples())
    filled = []
    for level in (0, 1):
        frame = noise_frame(layout, size)
        for plane in frame.planes():
            plane.samples[...] = level * frame.layout.peak
        settings = Settings(method="solid", color="#808080", feather_ratio=feather)
        FrameRedactor(settings).redact(frame, [face])
        filled.append(frame.samples())
    for one, other, low, high in zip(*ends, *filled, strict=True):
        np.testing.assert_array_equal(one[low == high], other[low == high])
