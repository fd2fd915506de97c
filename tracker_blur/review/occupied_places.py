"""Which places have a track already: one around them, one alike, or several that cover them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.box_arrays import edges, intersection_areas, ious

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.review.parameters import DoubtParameters

_AT_ONCE = 2048  # places: in a crowd, each meets hundreds of boxes
_GRID = 16  # points a side of a box: enough for a share


class OccupiedPlaces:
    """The boxes of all tracks in some frames, sorted by frame: thousands of places are looked up.

    Args:
        tracks: the tracks.
        frames: those in which places will be looked up.
        limits: tuning parameters.
    """

    def __init__(self, tracks: Tracks, frames: Collection[int], limits: DoubtParameters) -> None:
        self._limits = limits
        is_wanted = np.zeros(tracks.frame_count, bool)
        is_wanted[list(frames)] = True
        rows = [np.flatnonzero(is_wanted[track.frames]) for track in tracks.tracks]
        parts = list(zip(tracks.tracks, rows, strict=True))
        none = np.zeros(0, np.int32), np.zeros((0, 4)), np.zeros(0, bool)
        found = np.concatenate([none[0], *(track.frames[at] for track, at in parts)])
        boxes = np.concatenate([none[1], *(track.boxes[at] for track, at in parts)])
        hides = np.concatenate([none[2], *(np.full(len(at), track.hide) for track, at in parts)])
        order = np.argsort(found, kind="stable")
        self._frames, self._boxes, self._hides = found[order], boxes[order], hides[order]

    def hold(self, places: Sequence[tuple[int, Box]]) -> list[bool]:
        """Return for each frame and place whether tracks are there: quicker for many at once."""
        parts = (places[at : at + _AT_ONCE] for at in range(0, len(places), _AT_ONCE))
        return [is_held for part in parts for is_held in self._hold(part)]

    def _hold(self, places: Sequence[tuple[int, Box]]) -> list[bool]:
        frames, here = [frame for frame, _ in places], edges(box for _, box in places)
        starts = np.searchsorted(self._frames, frames, "left")
        counts = np.searchsorted(self._frames, frames, "right") - starts
        place = np.repeat(np.arange(len(places)), counts)
        within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        row = np.repeat(starts, counts) + within
        one, other = here[place], self._boxes[row]
        centers = (one[:, :2] + one[:, 2:]) / 2
        is_there = ((centers >= other[:, :2]) & (centers <= other[:, 2:])).all(axis=1)
        is_there |= ious(one, other) >= self._limits.same_place_iou
        held = np.zeros(len(places), bool)
        held[place[is_there]] = True
        margins = self._limits.covered_padding * (other[:, 2:] - other[:, :2])
        padded = other + np.concatenate([-margins, margins], axis=1)
        covers = self._hides[row] & ~held[place] & (intersection_areas(one, padded) > 0)
        covering = np.flatnonzero(covers)
        indices, begins = np.unique(place[covering], return_index=True)
        parts = np.split(covering, begins[1:])
        for index, part in zip(indices.tolist(), parts, strict=False):  # no index: one empty part
            boxes = [Box(*box) for box in padded[part].tolist()]
            held[index] = covered_share(places[index][1], boxes) >= self._limits.covered_share
        return held.tolist()


def covered_share(box: Box, others: Sequence[Box]) -> float:
    """Return which share of a box others hold together, as counted on a grid."""
    if not others:
        return 0.0
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x = box.left + steps * (box.right - box.left)
    y = box.top + steps * (box.bottom - box.top)
    held = np.zeros((_GRID, _GRID), bool)
    for other in others:
        rows = (y >= other.top) & (y <= other.bottom)
        held |= np.outer(rows, (x >= other.left) & (x <= other.right))
    return float(held.mean())
