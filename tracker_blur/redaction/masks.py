"""Outlines: which pixels around a face are replaced, and how opaquely."""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from tracker_blur.settings import Shape

OPACITY_BITS = 7
"""The largest number with which 8 bit samples blend in int16."""

OPAQUE = 1 << OPACITY_BITS
"""The opacity of a hidden pixel."""

Mask = npt.NDArray[Any]
"""0 (as decoded) to OPAQUE (wholly replaced), of a signed type wide enough to blend in."""


_LARGEST_KEPT_PX = 1 << 18
"""Pixels; larger outlines are rare and made anew, so that those kept fill 25 MB at the most."""

_SHARP = 1e-6
"""Radii; a soft edge of this width is none, and still a number to divide by."""


def masks(
    shape: Shape,
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    feather_ratio: float,
    grid: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    bits: int,
) -> tuple[Mask, ...]:
    """Return each plane's opacity around a hidden box; the arrays are shared: never write.

    size    (width, height) in pixels of the hidden box: any box that was rounded outward to `grid`
    window  (left, top, right, bottom) of the wanted part, relative to the box's left and top;
            left and top are multiples of the grid
    grid    (x, y): the box's edges were rounded outward to multiples of it, in pixels
    steps   (x_step, y_step) of each plane; each divides the grid
    bits    depth of the samples to blend

    A rectangle is hidden as it is; of an ellipse every pixel that it touches, wherever rounding
    moved it. The soft edge lies outside of that.
    """
    left, top, right, bottom = window
    is_kept = (right - left) * (bottom - top) <= _LARGEST_KEPT_PX
    make = _kept_opacities if is_kept else _opacities
    return make(shape, size, window, feather_ratio, grid, steps, bits)


def _opacities(
    shape: Shape,
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    feather_ratio: float,
    grid: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    bits: int,
) -> tuple[Mask, ...]:
    left, top, right, bottom = window
    # The last chroma sample of an odd width covers a column that the picture does not have.
    xs = _centers(left, right + (left - right) % grid[0], size[0])
    ys = _centers(top, bottom + (top - bottom) % grid[1], size[1])
    outside = _beyond_ellipse if shape == "ellipse" else _beyond_rectangle
    beyond = outside(xs, ys, size, grid)
    beyond *= -OPAQUE / max(2 * feather_ratio, _SHARP)
    beyond += OPAQUE
    soft = np.clip(beyond, 0, OPAQUE, out=beyond)
    luma = soft.astype(np.int16 if bits == 8 else np.int32)
    planes = tuple(_largest(luma, x_step, y_step) for x_step, y_step in steps)
    for plane in planes:
        plane.flags.writeable = False
    return planes


_kept_opacities = lru_cache(maxsize=32)(_opacities)


def _centers(start: int, stop: int, side: int) -> npt.NDArray[np.float32]:
    """Return the pixels' centers, counted from the middle of the box's side."""
    return np.arange(start, stop, dtype=np.float32) + np.float32(0.5 - side / 2)


def _beyond_ellipse(
    xs: npt.NDArray[np.float32],
    ys: npt.NDArray[np.float32],
    size: tuple[int, int],
    grid: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """Return how far each pixel lies beyond the inscribed ellipse, in its radii; 0 or less: in.

    Rounding a box outward moves its center by up to half the grid, and the ellipse with it: the
    pixel that counts is the one nearest to the center among those within that reach.
    """
    across, down = (
        np.square(np.maximum(np.abs(centers) - 0.5 - step / 2, 0) / (side / 2))
        for centers, side, step in zip((xs, ys), size, grid, strict=True)
    )
    return _length(across, down) - 1


def _beyond_rectangle(
    xs: npt.NDArray[np.float32],
    ys: npt.NDArray[np.float32],
    size: tuple[int, int],
    grid: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """Return how far each pixel lies beyond the box, in halves of its sides; 0: in it."""
    across, down = (
        np.square(np.maximum(np.abs(centers) - side / 2, 0) / (side / 2))
        for centers, side in zip((xs, ys), size, strict=True)
    )
    return _length(across, down)


def _length(
    across: npt.NDArray[np.float32], down: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the root of the sum of squares, for each row and column."""
    squares: npt.NDArray[np.float32] = across + down[:, None]
    return np.sqrt(squares, out=squares)


def _largest(luma: Mask, x_step: int, y_step: int) -> Mask:
    """Return the largest opacity among the pixels that each sample covers."""
    rows = reduce(np.maximum, (luma[i::y_step] for i in range(y_step)))
    return reduce(np.maximum, (rows[:, i::x_step] for i in range(x_step)))
