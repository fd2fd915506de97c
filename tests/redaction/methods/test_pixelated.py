"""The mosaic: exact means, a grid that moves with the face, and as few blocks as requested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ArrayFrame, noise_frame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction.methods import Patch
from tracker_blur.redaction.methods.pixelated import Pixelated
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings


def redacted(frame: ArrayFrame, box: Box, **changes: Any) -> list[Any]:
    options = {"shape": "rectangle", "feather_ratio": 0.0, "padding_ratio": 0.0, **changes}
    settings = Settings(method="pixelated", **options)
    FrameRedactor(settings).redact(frame, [Face(1, box, 1.0, Origin.DETECTED)])
    return frame.samples()


def hide(blocks: int, layout: str, size: tuple[int, int], hidden: Box, face: Box) -> Any:
    frame = noise_frame(layout, size)
    patch = Patch(frame.planes(), frame.layout, frame.orientation, face, hidden, 1)
    return frame, Pixelated(blocks).hide(patch)


@pytest.mark.parametrize(("blocks", "block_px"), [(4, 20), (5, 16), (7, 12), (80, 2), (500, 2)])
def test_block_size_follows_the_face(blocks: int, block_px: int) -> None:
    box = Box(0, 0, 60, 80)  # the longer side sets the block size
    frame, fills = hide(blocks, "yuv420p", (60, 80), box, box)
    for plane, fill in zip(frame.planes(), fills, strict=True):
        side = block_px // plane.x_step
        for top in range(0, fill.shape[0] - side + 1, side):
            for left in range(0, fill.shape[1] - side + 1, side):
                where = np.s_[top : top + side, left : left + side]
                if left + 2 * side <= fill.shape[1] and top + 2 * side <= fill.shape[0]:
                    assert abs(fill[where] - plane.samples[where].mean()).max() <= 0.5


def test_padding_does_not_change_the_block_size() -> None:
    face = Box(40, 40, 100, 100)
    for ratio in (0.0, 0.5):
        _, (fill,) = hide(3, "gray", (140, 140), face.padded(ratio), face)
        lines = np.flatnonzero(np.any(np.diff(fill.astype(int), axis=1), axis=0)) + 1
        assert set(np.diff(lines)) == {20}


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(-40, 10))
def test_no_block_is_a_sliver(width: int, height: int, blocks: int, cut: int) -> None:
    """A narrow rest at an end joins its neighbor, since thin blocks would show detail."""
    box = Box(2.0 * cut, 0, 100, 100)
    face = Box(0, 0, 80, 80)
    _, fills = hide(blocks, "yuv420p", (2 * width, 2 * height), box, face)
    block_px = max(2, -(-80 // blocks // 2) * 2)
    luma = fills[0]
    lines = np.flatnonzero(np.any(np.diff(luma.astype(int), axis=1), axis=0)) + 1
    widths = np.diff([0, *lines, luma.shape[1]])
    if len(widths) > 1:
        assert widths.min() >= block_px / 2


def test_the_grid_moves_with_the_face() -> None:
    rng = np.random.default_rng(1)
    content = rng.integers(0, 256, (40, 40), dtype=np.uint8)
    mosaics = []
    for x, y in ((20, 20), (26, 20), (33, 41)):
        samples = np.full((100, 100), 90, np.uint8)
        samples[y : y + 40, x : x + 40] = content
        frame = ArrayFrame([Plane(samples)], PixelLayout("gray"))
        (luma,) = redacted(frame, Box.from_xywh(x, y, 40, 40), blocks=5)
        mosaics.append(luma[y : y + 40, x : x + 40])
    np.testing.assert_array_equal(mosaics[0], mosaics[1])
    np.testing.assert_array_equal(mosaics[0], mosaics[2])


def test_subpixel_jitter_of_a_box_does_not_resample_the_face() -> None:
    results = []
    for shift in (0.1, 0.35, 0.9):
        frame = noise_frame("yuv420p", (100, 100))
        box = Box(20.3 + shift, 30 + shift, 60.3 + shift, 85 + shift)
        results.append(redacted(frame, box, blocks=5, padding_ratio=0.25))
    for other in results[1:]:
        for first, second in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


def test_a_face_cut_by_the_border_keeps_its_blocks() -> None:
    """The blocks of a face that leaves the frame are those of the whole face."""
    whole = noise_frame("gray", (120, 100))
    cut = ArrayFrame([Plane(whole.planes()[0].samples[:, 33:].copy())], PixelLayout("gray"))
    (before,) = redacted(whole, Box(20, 20, 80, 80), blocks=3)
    (after,) = redacted(cut, Box(-13, 20, 47, 80), blocks=3)
    np.testing.assert_array_equal(after[:, 27:], before[:, 60:])  # past the block at the border


def test_blocks_are_the_same_in_all_planes() -> None:
    _, fills = hide(5, "yuv420p", (77, 91), Box(-14, 4, 90, 96), Box(-6.3, 11.2, 71.8, 88.1))
    luma, chroma = fills[0], fills[1]
    steps = [
        np.flatnonzero(np.any(np.diff(plane.astype(int), axis=axis), axis=1 - axis)) + 1
        for plane, axis in ((luma, 1), (chroma, 1), (luma, 0), (chroma, 0))
    ]
    assert (steps[0] == 2 * steps[1]).all()
    assert (steps[2] == 2 * steps[3]).all()
