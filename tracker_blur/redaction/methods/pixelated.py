"""A mosaic of mean colors (the default).

`settings.blocks` blocks lie across the face's longer side, however large it is, so that the same
little is left of every face. The grid is laid out from the area around the face and moves with
it: under a grid fixed to the screen a moving face is sampled at ever new offsets, from which
frames together show more than each alone. See docs/redaction.md for what is left of a face.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Samples
from tracker_blur.redaction.filters import pixelated
from tracker_blur.redaction.methods import Patch
from tracker_blur.settings import Settings


def make(settings: Settings) -> Pixelated:
    """Return the method."""
    return Pixelated(settings.blocks)


class Pixelated:
    """Fills each block with the mean of its samples."""

    def __init__(self, blocks: int) -> None:
        self._blocks = blocks

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return the mosaic; the blocks of all planes agree."""
        grid = math.lcm(*(step for steps in patch.steps for step in steps))
        longer_px = max(patch.face.width, patch.face.height)
        block_px = max(grid, math.ceil(longer_px / self._blocks / grid) * grid)
        # The patch at full resolution, as the plane with the finest samples tells it.
        height_px = max(plane.samples.shape[0] * plane.y_step for plane in patch.planes)
        width_px = max(plane.samples.shape[1] * plane.x_step for plane in patch.planes)
        x_edges = _inner_edges(int(patch.box.left), width_px, block_px)
        y_edges = _inner_edges(int(patch.box.top), height_px, block_px)
        return tuple(
            pixelated(
                plane.samples,
                _edges(x_edges // plane.x_step, plane.samples.shape[1]),
                _edges(y_edges // plane.y_step, plane.samples.shape[0]),
            )
            for plane in patch.planes
        )


def _inner_edges(origin: int, length_px: int, block_px: int) -> npt.NDArray[np.intp]:
    """Return the grid's lines inside a side; what is left of a block at an end joins the next."""
    lines = np.arange(origin % block_px, length_px, block_px)
    return lines[(2 * lines >= block_px) & (2 * (length_px - lines) >= block_px)]


def _edges(inner: npt.NDArray[np.intp], length: int) -> npt.NDArray[np.intp]:
    return np.concatenate(([0], inner, [length]))
