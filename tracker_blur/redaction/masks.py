"""Masks: how strongly each sample around a face is replaced."""

from __future__ import annotations

from functools import lru_cache, reduce, wraps
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.settings import Shape

MASK_BITS = 7
"""Bits of a mask's fraction: the most with which 8-bit samples still blend in int16."""

OPAQUE = 1 << MASK_BITS
"""The mask value of a sample that is replaced entirely."""

Mask = npt.NDArray[Any]
"""0 (as decoded) to OPAQUE (replaced entirely), of a signed type wide enough to blend in."""

_CACHES = ((1 << 13, 512), (1 << 15, 128), (1 << 18, 32))
"""Up to how many pixels masks have that are kept, and how many of them: a crowd's faces are small,
and each has a size of its own. Larger masks are rare. Each takes 25 MB at most, usually half."""

_FRACTION_BITS = 4  # of a pixel, in the corners of polygons

_SHARP = 1e-6  # radii: a soft edge too narrow to see, and still a number to divide by


def masks(
    shape: Shape,
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    feather_ratio: float,
    grid: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    bits: int,
) -> tuple[Mask, ...]:
    """Return one mask for each plane, for the pixels in a window around a hidden box.

    A rectangle is hidden exactly. Of an ellipse, every pixel that it touches is hidden, wherever
    rounding moved the box. The soft edge (feather) lies outside of that. The arrays are cached and
    read-only.

    Args:
        shape: shape of the hidden area.
        size: (width, height) of the hidden box in pixels; its edges lie on the grid.
        window: (left, top, right, bottom) of the wanted part, relative to the box's left and top;
            left and top are multiples of the grid.
        feather_ratio: width of the soft edge as a share of the box's size.
        grid: (x, y) in pixels, to whose multiples the box's edges were rounded outward.
        steps: (x_step, y_step) of each plane; each divides the grid.
        bits: depth of the samples to blend.
    """
    return _cached_masks(shape, size, window, feather_ratio, grid, steps, bits)


def cached_by_size(make: Callable[..., tuple[Mask, ...]]) -> Callable[..., tuple[Mask, ...]]:
    """Return a function that keeps what `make` returns, if it is not too large.

    Args:
        make: Its arguments are hashable; the third is the window, as in `masks`.
    """
    caches = [(largest_px, lru_cache(count)(make)) for largest_px, count in _CACHES]

    @wraps(make)
    def cached(
        kind: Any, size: tuple[int, int], window: tuple[int, int, int, int], *others: Any
    ) -> tuple[Mask, ...]:
        left, top, right, bottom = window
        pixels = (right - left) * (bottom - top)
        kept = (cache for largest_px, cache in caches if pixels <= largest_px)
        return next(kept, make)(kind, size, window, *others)

    return cached


def _make_masks(
    shape: Shape,
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    feather_ratio: float,
    grid: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    bits: int,
) -> tuple[Mask, ...]:
    left, top, right, bottom = window
    # The last chroma sample of an odd width covers a column that the frame does not have.
    xs = _centers(left, right + (left - right) % grid[0], size[0])
    ys = _centers(top, bottom + (top - bottom) % grid[1], size[1])
    distance = _beyond_ellipse if shape == "ellipse" else _beyond_rectangle
    soft = distance(xs, ys, size, grid)
    soft *= -OPAQUE / max(2 * feather_ratio, _SHARP)
    soft += OPAQUE
    np.clip(soft, 0, OPAQUE, out=soft)
    luma = soft.astype(np.int16 if bits == 8 else np.int32)
    planes = tuple(_subsampled(luma, x_step, y_step) for x_step, y_step in steps)
    for plane in planes:
        plane.flags.writeable = False
    return planes


_cached_masks = cached_by_size(_make_masks)


def polygon_masks(
    corners: Sequence[tuple[float, float]],
    size: tuple[int, int],
    grid: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    bits: int,
) -> tuple[Mask, ...]:
    """Return one mask for each plane: every pixel that a polygon touches, opaque.

    Args:
        corners: (x, y) in pixels, relative to the patch's left and top.
        size: (width, height) of the patch in pixels.
        grid: (x, y) in pixels; the patch's left and top are multiples of it.
        steps: (x_step, y_step) of each plane; each divides the grid.
        bits: depth of the samples to blend.
    """
    # As in `masks`, the last chroma sample covers what the frame does not have.
    width, height = (side + -side % step for side, step in zip(size, grid, strict=True))
    # OpenCV's coordinates are those of pixels' centers. It fills those inside and draws the edge,
    # which crosses its pixels' neighbors, too: also from outside of the patch.
    fixed = np.rint((np.array(corners) + 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    canvas = np.zeros((height + 2, width + 2), np.uint8)
    is_in = cv2.fillPoly(canvas, [fixed], 1, shift=_FRACTION_BITS)
    is_in = cv2.dilate(is_in, np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    luma = is_in.astype(np.int16 if bits == 8 else np.int32) * OPAQUE
    return tuple(_subsampled(luma, x_step, y_step) for x_step, y_step in steps)


def _centers(start: int, stop: int, side: int) -> npt.NDArray[np.float32]:
    """Return the pixels' centers, counted from the middle of the box's side."""
    return np.arange(start, stop, dtype=np.float32) + np.float32(0.5 - side / 2)


def _beyond_ellipse(
    xs: npt.NDArray[np.float32],
    ys: npt.NDArray[np.float32],
    size: tuple[int, int],
    grid: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """Return how far each pixel lies outside the inscribed ellipse, in radii; 0 or less: inside.

    Rounding a box outward moves its center, and the ellipse with it, by up to half the grid. So
    each pixel counts as its nearest neighbor to the center within that distance.
    """
    across, down = (
        _square_distance(centers, side, step)
        for centers, side, step in zip((xs, ys), size, grid, strict=True)
    )
    return _norm(across, down) - 1


def ellipse_distance(start: int, stop: int, side: int, step: int) -> npt.NDArray[np.float32]:
    """Return the squared distance of pixels to an ellipse's center along one axis, in radii.

    Where those of both axes add up to 1 or less, the ellipse's mask is opaque.

    Args:
        start: the first pixel, counted from the side's begin.
        stop: after the last pixel.
        side: of the ellipse's box in pixels.
        step: of the grid along this axis.
    """
    return _square_distance(_centers(start, stop, side), side, step)


def _square_distance(
    centers: npt.NDArray[np.float32], side: int, step: int
) -> npt.NDArray[np.float32]:
    return np.asarray(
        np.square(np.maximum(np.abs(centers) - 0.5 - step / 2, 0) / (side / 2)), np.float32
    )


def _beyond_rectangle(
    xs: npt.NDArray[np.float32],
    ys: npt.NDArray[np.float32],
    size: tuple[int, int],
    _: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """Return how far each pixel lies outside the box, in halves of its sides; 0: inside."""
    across, down = (
        np.square(np.maximum(np.abs(centers) - side / 2, 0) / (side / 2))
        for centers, side in zip((xs, ys), size, strict=True)
    )
    return _norm(across, down)


def _norm(
    across: npt.NDArray[np.float32], down: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the root of the sum of squares, for each row and column."""
    squares: npt.NDArray[np.float32] = across + down[:, None]
    return np.sqrt(squares, out=squares)


def _subsampled(luma: Mask, x_step: int, y_step: int) -> Mask:
    """Return the largest mask value among the pixels that each sample covers."""
    rows = reduce(np.maximum, (luma[i::y_step] for i in range(y_step)))
    return reduce(np.maximum, (rows[:, i::x_step] for i in range(x_step)))
