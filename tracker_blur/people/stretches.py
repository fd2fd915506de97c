"""Cuts tracks into stretches: within one, a track cannot have changed to someone else.

A track may jump to another person where two people cross, at a scene cut, or in a gap. Where two
successive faces of it are not alike, it may have done so unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.people.parameters import PeopleParameters
    from tracker_blur.people.samples import TrackFaces

_ROUNDING_SECONDS = 1e-6  # times are exact, seconds are not

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Window:
    """About a second of a track.

    Attributes:
        rows: Its rows in the track, ascending.
        votes: The numbers, in the track's faces, of the good ones.
    """

    rows: Rows
    votes: Rows


def stretches(
    track: Track,
    tracks: Tracks,
    faces: TrackFaces,
    changed: float,
    parameters: PeopleParameters,
) -> list[list[Window]]:
    """Return the stretches of a track, in order, each as its windows; together, all of its rows.

    Args:
        track: The track.
        tracks: All tracks of its video.
        faces: The good faces of the track.
        changed: Cosine below which two successive faces may be two people's.
        parameters: Thresholds.
    """
    seconds = tracks.seconds[track.frames]
    ends = np.zeros(len(track), bool)  # whether a stretch begins at a row
    ends[0] = True
    ends[1:] |= np.diff(seconds) > parameters.max_gap_seconds + _ROUNDING_SECONDS
    scenes = np.searchsorted(np.array(tracks.cuts, np.int64), track.frames, "right")
    ends[1:] |= np.diff(scenes) != 0
    others = [other for other in tracks.tracks if other.label == track.label]
    crossing = crossings(track, others, parameters.crossing_share)
    crossing = _widened(crossing, seconds, parameters.crossing_seconds)
    ends[1:] |= np.diff(crossing) != 0
    vote_rows = np.searchsorted(track.frames, faces.frames)
    for before, after in _changes(faces, changed):
        # Where it changed between the two is not known: what lies between votes for no one.
        ends[vote_rows[before] + 1] = True
        ends[vote_rows[after]] = True
    starts = np.flatnonzero(ends)
    return [
        _windows(np.arange(start, stop), seconds, vote_rows, parameters.vote_seconds)
        for start, stop in zip(starts, [*starts[1:], len(track)], strict=True)
    ]


def vouched_for(
    rows: Rows, vote_rows: Rows, track: Track, tracks: Tracks, parameters: PeopleParameters
) -> npt.NDArray[np.bool_]:
    """Return which of successive rows of a track good faces say something about.

    A track may continue where its person left, held or on someone else's face. So a row lies
    between two good faces that are near to each other, or near to the first or the last one.

    Args:
        rows: Rows of one stretch of the track, ascending.
        vote_rows: Those of them with a good face, ascending; at least one.
        track: The track.
        tracks: All tracks of its video.
        parameters: Thresholds.
    """
    seconds = tracks.seconds[track.frames]
    times, votes = seconds[rows], seconds[vote_rows]
    last = len(votes) - 1
    before = np.searchsorted(vote_rows, rows, "right") - 1
    after = np.searchsorted(vote_rows, rows)
    is_between = (before >= 0) & (after <= last)
    gaps = votes[after.clip(max=last)] - votes[before.clip(min=0)]
    nearest = np.where(before < 0, votes[0] - times, times - votes[-1])
    near = nearest <= parameters.max_end_seconds + _ROUNDING_SECONDS
    close = gaps <= parameters.vote_seconds + _ROUNDING_SECONDS
    return np.asarray(np.where(is_between, close, near), bool)


def crossings(track: Track, others: Sequence[Track], share: float) -> npt.NDArray[np.bool_]:
    """Return in which rows the box of a track and that of any other lie over each other.

    Args:
        track: The track.
        others: Tracks of its video; it may be among them.
        share: Of the smaller box, from which they do.
    """
    crossing = np.zeros(len(track), bool)
    for other in others:
        if other.track_id == track.track_id or other.last < track.first:
            continue
        if other.first > track.last:
            continue
        _, rows, other_rows = np.intersect1d(
            track.frames, other.frames, assume_unique=True, return_indices=True
        )
        ones, boxes = track.boxes[rows], other.boxes[other_rows]
        low = np.maximum(ones[:, :2], boxes[:, :2])
        high = np.minimum(ones[:, 2:], boxes[:, 2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        smaller = np.minimum(
            (ones[:, 2:] - ones[:, :2]).prod(axis=1), (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        )
        crossing[rows] |= shared >= share * np.maximum(smaller, 1e-9)
    return crossing


def _widened(
    which: npt.NDArray[np.bool_], seconds: npt.NDArray[np.float64], by_seconds: float
) -> npt.NDArray[np.bool_]:
    """Return which rows are at most this long before or after those of `which`."""
    if not which.any():
        return which
    times = seconds[which]
    after = np.searchsorted(times, seconds).clip(0, len(times) - 1)
    before = (after - 1).clip(0)
    nearest = np.minimum(abs(times[after] - seconds), abs(times[before] - seconds))
    return np.asarray(nearest <= by_seconds + _ROUNDING_SECONDS, bool)


def _changes(faces: TrackFaces, changed: float) -> list[tuple[int, int]]:
    """Return the numbers of successive good faces that are not alike."""
    if len(faces) < 2:
        return []
    likeness = np.einsum("ij,ij->i", faces.vectors[:-1], faces.vectors[1:])
    return [(int(at), int(at) + 1) for at in np.flatnonzero(likeness < changed)]


def _windows(
    rows: Rows, seconds: npt.NDArray[np.float64], vote_rows: Rows, vote_seconds: float
) -> list[Window]:
    """Return the windows of a stretch, all of them of one length, about `vote_seconds`."""
    start, end = seconds[rows[0]], seconds[rows[-1]]
    count = max(1, round(float(end - start) / vote_seconds))
    length = max(float(end - start) / count, 1e-9)
    numbers = np.minimum((seconds[rows] - start) // length, count - 1).astype(np.int64)
    windows = []
    for number in range(count):
        of_window = rows[numbers == number]
        if len(of_window):
            votes = np.flatnonzero((vote_rows >= of_window[0]) & (vote_rows <= of_window[-1]))
            windows.append(Window(of_window, votes))
    return windows
