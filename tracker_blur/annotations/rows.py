"""A track as rows of plain numbers, for files: edges in hundredths of a pixel, never inward."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import ORIGINS, Boxes, Origin, Track

FARTHEST_PX = 1e5
"""No edge lies further from the picture's corner: nothing is there to hide, and 32-bit floats still
tell hundredths of a pixel apart."""

THINNEST_PX = 0.0099
"""A box is at least that wide and high."""


class Row(NamedTuple):
    """One face in one frame; edges in hundredths of a pixel, score in ten-thousandths of one."""

    frame: int
    edges: tuple[float, float, float, float]
    score: float
    origin: Origin

    @property
    def x_y_width_height(self) -> tuple[float, float, float, float]:
        """The box by its upper left corner and its size; sums are the right and lower edges."""
        left, top, right, bottom = self.edges
        return left, top, round(right - left, 2), round(bottom - top, 2)


def rows(track: Track) -> Iterator[Row]:
    """Give a track's rows in the order of their frames.

    Raises ValueError for a box that holds no area and for a score that is no number from 0 to 1.
    """
    if not np.logical_and(track.scores >= 0, track.scores <= 1).all():
        raise ValueError(f"track {track.track_id} has scores outside of 0 to 1")
    if np.any(np.diff(track.frames) <= 0):
        raise ValueError(f"the frames of track {track.track_id} do not ascend")
    scores = np.round(track.scores.astype(np.float64), 4)
    for frame, edges, score, origin in zip(
        track.frames.tolist(),
        outward(track.boxes).tolist(),
        scores.tolist(),
        track.origins.tolist(),
        strict=True,
    ):
        yield Row(frame, tuple(edges), score, ORIGINS[origin])


def outward(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Return boxes, shape (n, 4), with edges in hundredths of a pixel that cover the given ones.

    Read back as 32-bit floats they still cover them, and rounding them again changes nothing.
    Edges too far outside any picture are drawn in. Raises ValueError for boxes without an area.
    """
    wide = np.clip(boxes.astype(np.float64), -FARTHEST_PX, FARTHEST_PX)
    if not (wide[:, :2] < wide[:, 2:]).all():
        raise ValueError("a box holds no area")
    nearest = np.round(wide * 100) / 100
    away = np.hstack([np.floor(wide[:, :2] * 100), np.ceil(wide[:, 2:] * 100)]) / 100
    is_exact = np.equal(nearest.astype(np.float32), wide.astype(np.float32))
    return np.where(is_exact, nearest, away) + 0.0  # -0.0 becomes 0.0


def rotated(edges: Sequence[float], degrees: float) -> tuple[float, ...]:
    """Return the upright box around one that is turned about its middle."""
    if not degrees:
        return tuple(edges)
    left, top, right, bottom = edges
    x, y = (left + right) / 2, (top + bottom) / 2
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    half_width = ((right - left) * cosine + (bottom - top) * sine) / 2
    half_height = ((right - left) * sine + (bottom - top) * cosine) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height
