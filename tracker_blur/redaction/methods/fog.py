"""A dense haze, in which only some light and color of the face is left.

A few blocks of mean color across the face shine through, smoothly blended and mixed with gray
haze. The haze's billows are noise seeded by the track's number, so that they stand still on a face.
Anyone who knows the number can subtract them: they protect nothing and only look like fog.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.redaction import color
from tracker_blur.redaction.filters import block_means

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples
    from tracker_blur.redaction.methods import Patch
    from tracker_blur.settings import Settings

CLASS = "cosmetic"

_HAZE: color.Color = (185, 185, 185)
_HAZE_SHARE = 0.65
_BLOCKS_ACROSS = 3
_BILLOWS = ((3.0, 0.05), (7.0, 0.02))
"""How many lie across the face, and their standard deviation as a share of the peak sample."""


def make(settings: Settings) -> Fog:
    """Return the method; it has no settings."""
    return Fog()


class Fog:
    """Fills a patch with haze."""

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return the haze."""
        values = color.to_samples(_HAZE, patch.layout)
        billows = _billows(patch)
        fills = []
        for index, (plane, haze) in enumerate(zip(patch.planes, values, strict=True)):
            rows, columns = plane.samples.shape
            longer = max(1.0, patch.face.width, patch.face.height)
            y_edges = _even_edges(rows, longer / plane.y_step)
            x_edges = _even_edges(columns, longer / plane.x_step)
            means = block_means(plane.samples, x_edges, y_edges).astype(np.float32)
            light = np.asarray(
                cv2.resize(means, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32
            )
            light += np.float32(_HAZE_SHARE) * (haze - light)
            if index == 0 or patch.layout.family == "rgb":  # billows have no color
                light += billows
            fills.append(np.clip(light, 0, patch.layout.peak).astype(plane.samples.dtype))
        return tuple(fills)


def _even_edges(length: int, face_length: float) -> npt.NDArray[np.intp]:
    blocks = max(1, min(length, math.floor(length / face_length * _BLOCKS_ACROSS)))
    return np.linspace(0, length, blocks + 1).astype(np.intp)


def _billows(patch: Patch) -> npt.NDArray[np.float32]:
    """Return noise for full-size planes, anchored to the hidden box."""
    rows, columns = patch.planes[0].samples.shape
    face_px = max(1.0, patch.face.width, patch.face.height)
    tile = np.random.default_rng(abs(patch.seed)).standard_normal((32, 32), np.float32)
    # Billows are soft enough to be computed at a quarter of the size.
    xs = (np.arange(0, columns, 4) - patch.box.left) / face_px
    ys = (np.arange(0, rows, 4) - patch.box.top) / face_px
    noise = np.zeros((len(ys), len(xs)), np.float32)
    for across, share in _BILLOWS:
        map_x, map_y = np.meshgrid(
            (xs * across).astype(np.float32), (ys * across).astype(np.float32)
        )
        billows = cv2.remap(
            tile, map_x, map_y, interpolation=cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP
        )
        noise += np.float32(share * patch.layout.peak) * np.asarray(billows, np.float32)
    return np.asarray(cv2.resize(noise, (columns, rows)), np.float32)
