"""What all kinds of doubts need to know of a video's tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tracker_blur.core.box_arrays import intersection_areas
from tracker_blur.core.timeline import split

if TYPE_CHECKING:
    from tracker_blur.core.box import Box
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.review.parameters import DoubtParameters


class DoubtContext:
    """A video's tracks, seen as a viewer of the result would: in seconds, scenes and places.

    Args:
        tracks: its tracks.
        limits: tuning parameters.
    """

    def __init__(self, tracks: Tracks, limits: DoubtParameters) -> None:
        self.tracks = tracks
        self.limits = limits
        self.seconds = tracks.seconds - (tracks.seconds[0] if tracks.frame_count else 0.0)
        # Frames that begin a scene; the video's ends are such, too.
        self.cuts = np.array([0, *tracks.cuts, tracks.frame_count])
        self.hidden, _ = split(tracks)
        spans = [(self.seconds[one.first], self.seconds[one.last]) for one in self.hidden]
        self.spans = np.array(spans, np.float64).reshape(-1, 2)

    def time_between(self, first: int, last: int) -> float:
        """Return the seconds between two frames."""
        return float(abs(self.seconds[last] - self.seconds[first]))

    def shot(self, frame: int) -> range:
        """Return the frames of the scene that a frame is in."""
        place = int(np.searchsorted(self.cuts, frame, side="right"))
        return range(int(self.cuts[place - 1]), int(self.cuts[min(place, len(self.cuts) - 1)]))

    def is_at_border(self, box: Box) -> bool:
        """Return whether a face is about to leave the frame, or has just come into it."""
        reach = self.limits.border_sizes * box.size
        width, height = self.tracks.size
        return (
            box.left <= reach
            or box.top <= reach
            or box.right >= width - reach
            or box.bottom >= height - reach
        )

    def size_share(self, box: Box) -> float:
        """Return the size of a box as a share of the frame's shorter side."""
        return box.size / min(self.tracks.size)

    def goes_on(self, track: Track, frame: int, box: Box, step: int) -> bool:
        """Return whether another hidden track is at the place where one ends.

        Args:
            track: the track.
            frame: its last frame, or its first one.
            box: where it is there.
            step: 1 after an end, -1 before a start.
        """
        reach = self.limits.near_seconds
        low, high = sorted((self.seconds[frame], self.seconds[frame] + step * reach))
        near = np.flatnonzero((self.spans[:, 0] <= high) & (self.spans[:, 1] >= low))
        for index in near.tolist():
            other = self.hidden[index]
            if other.track_id == track.track_id:
                continue
            times = self.seconds[other.frames]
            rows = np.flatnonzero((times >= low) & (times <= high) & (other.frames != frame))
            here = np.array([box.as_tuple()] * len(rows)).reshape(-1, 4)
            shared = intersection_areas(other.boxes[rows].astype(np.float64), here)
            if len(rows) and shared.max() >= self.limits.near_share * box.area:
                return True
        return False


def runs(which: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return (first, last) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], which, [False]]).astype(np.int8)))
    return [(int(start), int(stop) - 1) for start, stop in edges.reshape(-1, 2).tolist()]
