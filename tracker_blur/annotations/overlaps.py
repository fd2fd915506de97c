"""Visible tracks whose face is hidden all the same, because a hidden track is at its place.

A person may have several tracks at once: a second detector, a turned copy of the view or a careful
search found the face, too. To show the person, all of them must be left visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box_arrays import ious
from tracker_blur.core.parameters import TrackingParameters

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Track, Tracks

_SAME_IOU = TrackingParameters().same_face_iou


@dataclass(frozen=True, slots=True)
class Overlap:
    """A visible track that hidden ones hide in some frames.

    Attributes:
        track_id: the visible track.
        others: the hidden tracks that have a box at its place, those with most frames first.
        frame_count: the frames in which at least one of them has.
    """

    track_id: int
    others: tuple[int, ...]
    frame_count: int


def hidden_all_the_same(tracks: Tracks) -> tuple[Overlap, ...]:
    """Return the visible tracks that hidden ones partly hide, by number."""
    hidden = [track for track in tracks.tracks if track.hide]
    found = []
    for track in tracks.tracks:
        if track.hide:
            continue
        shared = {other.track_id: _shared_frames(track, other) for other in hidden}
        others = sorted((each for each in shared if shared[each]), key=lambda at: -len(shared[at]))
        if others:
            frames = set().union(*shared.values())
            found.append(Overlap(track.track_id, tuple(others), len(frames)))
    return tuple(found)


def _shared_frames(track: Track, other: Track) -> set[int]:
    """Return the frames in which both are at one place."""
    if other.last < track.first or track.last < other.first:
        return set()
    frames, here, there = np.intersect1d(
        track.frames, other.frames, assume_unique=True, return_indices=True
    )
    boxes, others = (one.boxes[at].astype(float) for one, at in ((track, here), (other, there)))
    is_same = ious(boxes, others) >= _SAME_IOU
    return set(frames[is_same].tolist())
