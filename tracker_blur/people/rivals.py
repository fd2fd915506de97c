"""How much those who are seen together with a track are like the known people; no pixels.

If two people are equally like a person in the photos, both are in doubt. A mean over
a whole track would hide a second in which that is so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.people.grouping import seen_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tracker_blur.core.tracks import Track
    from tracker_blur.people.embedders import Vectors
    from tracker_blur.people.parameters import PeopleParameters
    from tracker_blur.people.samples import TrackFaces
    from tracker_blur.people.stretches import Window

Likeness = npt.NDArray[np.float64]
"""Cosines to each known person, shape (people,); -1 where no one is to be compared."""


class Rivals:
    """Those who are in a frame together with a track, at any time.

    Args:
        tracks: The tracks of faces.
        pieces: The stretches of each, by identifier; see `tracker_blur.people.stretches`.
        faces: The good faces of tracks, by identifier.
        means: The mean embedding of each known person, shape (people, 128).
        parameters: Thresholds.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        pieces: Mapping[int, Sequence[Sequence[Window]]],
        faces: Mapping[int, TrackFaces],
        means: Vectors,
        parameters: PeopleParameters,
    ) -> None:
        self._no_one = np.full(len(means), -1.0)
        self._faces = faces
        self._likeness = {
            track.track_id: np.asarray(faces[track.track_id].vectors @ means.T, np.float64)
            for track in tracks
            if len(faces.get(track.track_id, ()))
        }
        self._stretches = {
            track.track_id: [self._at_best(track, windows) for windows in pieces[track.track_id]]
            for track in tracks
            if track.track_id in self._likeness
        }
        self._rivals: defaultdict[int, list[int]] = defaultdict(list)
        for one, other in seen_together(tracks, parameters):
            self._rivals[one].append(other)
            self._rivals[other].append(one)

    def at_best(self, track_id: int, first: int, last: int) -> Likeness:
        """Return how much rivals of a track are like each person, in their likest second.

        Args:
            track_id: The track.
            first: The first frame of one of its stretches.
            last: The last frame. A rival's stretches count that share a frame with this one: in all
                of a stretch, a track is one person.
        """
        return self._highest(
            likeness
            for rival in self._rivals[track_id]
            for start, end, likeness in self._stretches.get(rival, ())
            if start <= last and end >= first
        )

    def during(self, track_id: int, first: int, last: int) -> Likeness:
        """Return how much rivals of a track are like each person, between these two frames."""
        return self._highest(self._means_during(track_id, first, last))

    def _means_during(self, track_id: int, first: int, last: int) -> Iterable[Likeness]:
        for rival in self._rivals[track_id]:
            if rival not in self._likeness:
                continue
            frames = self._faces[rival].frames
            is_then = (frames >= first) & (frames <= last)
            if is_then.any():
                yield self._likeness[rival][is_then].mean(axis=0)

    def _at_best(self, track: Track, windows: Sequence[Window]) -> tuple[int, int, Likeness]:
        """Return the first and the last frame of a stretch, and the likeness at its best."""
        first, last = int(track.frames[windows[0].rows[0]]), int(track.frames[windows[-1].rows[-1]])
        likeness = self._likeness[track.track_id]
        seconds = (likeness[window.votes].mean(axis=0) for window in windows if len(window.votes))
        return first, last, self._highest(seconds)

    def _highest(self, likeness: Iterable[Likeness]) -> Likeness:
        highest: Likeness = np.maximum.reduce([self._no_one, *likeness])
        return highest
