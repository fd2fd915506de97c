"""Blocks: how a hidden area is divided, and a mask whose edge follows them.

Blocks are laid over the area as stored and rounded, and no block divides a chroma sample, so that
they are the same in all planes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tracker_blur.redaction.masks import OPAQUE, cached_by_size, ellipse_distance

if TYPE_CHECKING:
    from tracker_blur.redaction.masks import Mask


def spread(
    values: npt.NDArray[Any],
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    grid: tuple[int, int],
    step: tuple[int, int],
) -> npt.NDArray[Any]:
    """Return the samples of a plane in a window around an area, from one value for each block.

    Args:
        values: shape (rows, columns), over the whole area.
        size: (width, height) of the area in pixels; multiples of the grid.
        window: (left, top, right, bottom) of the wanted part, in pixels, relative to the area's
            left and top, which are multiples of the grid.
        grid: (x, y) in pixels of the cells that no block divides.
        step: (x_step, y_step) of the plane; they divide the grid.
    """
    rows, columns = values.shape
    left, top, right, bottom = window
    across = _counts(left, right, step[0], grid[0], size[0], columns)
    down = _counts(top, bottom, step[1], grid[1], size[1], rows)
    return values.repeat(across, axis=1).repeat(down, axis=0)


def ellipse_masks(
    blocks: tuple[int, int],
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    grid: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    bits: int,
) -> tuple[Mask, ...]:
    """Return one mask for each plane: all blocks that an ellipse touches, opaque.

    The ellipse's box lies one cell of the grid inside the area: that far its own mask may reach
    beyond its box (`tracker_blur.redaction.masks`). All that is opaque in it is so here. The arrays
    are cached and read-only.

    Args:
        blocks: (rows, columns) over the whole area.
        size: as in `spread`.
        window: as in `spread`.
        grid: as in `spread`.
        steps: (x_step, y_step) of each plane.
        bits: depth of the samples to blend.
    """
    return _cached_masks(blocks, size, window, grid, steps, bits)


def _make_masks(
    blocks: tuple[int, int],
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    grid: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    bits: int,
) -> tuple[Mask, ...]:
    covered = _touched(blocks, size, grid) * np.array(OPAQUE, np.int16 if bits == 8 else np.int32)
    planes = tuple(spread(covered, size, window, grid, step) for step in steps)
    for plane in planes:
        plane.flags.writeable = False
    return planes


_cached_masks = cached_by_size(_make_masks)


def _touched(
    blocks: tuple[int, int], size: tuple[int, int], grid: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return which blocks hold a pixel that the ellipse touches, shape (rows, columns)."""
    nearest = []
    for side, cell, count in zip(size, grid, blocks[::-1], strict=True):
        distances = ellipse_distance(-cell, side - cell, side - 2 * cell, cell)
        of_blocks = np.full(count, np.inf, np.float32)
        np.minimum.at(of_blocks, _block_of(np.arange(side), cell, side, count), distances)
        nearest.append(of_blocks)
    across, down = nearest
    touched: npt.NDArray[np.bool_] = across + down[:, None] <= 1
    return touched


@lru_cache(maxsize=4096)
def _counts(
    start: int, stop: int, step: int, grid: int, side: int, blocks: int
) -> npt.NDArray[np.intp]:
    """Return how many samples from one pixel to another lie in each block; read-only."""
    pixels = np.arange(start, stop, step)
    counts = np.bincount(_block_of(pixels, grid, side, blocks), minlength=blocks)
    counts.flags.writeable = False
    return counts


def _block_of(
    pixels: npt.NDArray[np.intp], grid: int, side: int, blocks: int
) -> npt.NDArray[np.intp]:
    """Return the block of each pixel of an area's side; those beyond belong to the outermost."""
    cells = pixels // grid * grid + grid / 2
    return np.clip((cells * (blocks / max(side, 1))).astype(np.intp), 0, blocks - 1)
