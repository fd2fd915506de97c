"""A mosaic of mean colors (the default).

`settings.blocks` blocks lie across the face's longer side, whatever its size, so that equally
little is left of every face. The grid moves with the face. A grid fixed to the screen would sample
a moving face at ever new offsets, and many frames together would show more than each alone. See
docs/redaction.md for what is left of a face.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.redaction.filters import mosaic

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples
    from tracker_blur.redaction.methods import Patch
    from tracker_blur.settings import Settings

CLASS = "cosmetic"


def make(settings: Settings) -> Pixelated:
    """Return the method."""
    return Pixelated(settings.blocks)


class Pixelated:
    """Fills each block with the mean of its samples."""

    def __init__(self, blocks: int) -> None:
        self._blocks = blocks

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return the mosaic; its blocks are the same in all planes."""
        grid = math.lcm(*(step for steps in patch.steps for step in steps))
        longer_px = max(patch.face.width, patch.face.height)
        block_px = max(grid, math.ceil(longer_px / self._blocks / grid) * grid)
        # The plane with the finest samples has the patch at full resolution.
        height_px = max(plane.samples.shape[0] * plane.y_step for plane in patch.planes)
        width_px = max(plane.samples.shape[1] * plane.x_step for plane in patch.planes)
        x_edges = _inner_edges(int(patch.box.left), width_px, block_px)
        y_edges = _inner_edges(int(patch.box.top), height_px, block_px)
        return tuple(
            mosaic(
                plane.samples,
                _edges(x_edges // plane.x_step, plane.samples.shape[1]),
                _edges(y_edges // plane.y_step, plane.samples.shape[0]),
            )
            for plane in patch.planes
        )


def _inner_edges(origin: int, length_px: int, block_px: int) -> npt.NDArray[np.intp]:
    """Return the grid's lines inside a side; less than half a block at an end joins the next."""
    lines = np.arange(origin % block_px, length_px, block_px)
    return lines[(2 * lines >= block_px) & (2 * (length_px - lines) >= block_px)]


def _edges(inner: npt.NDArray[np.intp], length: int) -> npt.NDArray[np.intp]:
    return np.concatenate(([0], inner, [length]))
