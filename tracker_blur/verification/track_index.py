"""Where tracks are, also just before, after and between the frames that they have boxes for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Timeline, Track, Tracks

_SAME_FACE_IOU = 0.2
_SAME_PLACE_IOU = 0.5
_MOST_VIEWS = 400
_OUTSIDE_FRAMES = 12  # before and after a track, and into its gaps, where it may still be


@dataclass(frozen=True, slots=True)
class View:
    """A place in a frame that a person should see: where a track begins or ends."""

    track_id: int
    moment: str
    box: Box


class TrackIndex:
    """Tells, frame by frame, what tracks say.

    awaited     by frame: where a hidden track has no box, but a moment before or after it has
    views       by frame: what a person should see of the ends of hidden tracks
    more_views  tracks without views, for there are too many

    padding_ratio  what was added on each side of a face, as a share of its width and height
    """

    def __init__(self, tracks: Tracks, padding_ratio: float) -> None:
        self._padding_ratio = padding_ratio
        self._hidden = Timeline(tracks)
        meant = [replace(track, hide=not track.hide) for track in tracks.tracks]
        self._seen = Timeline(replace(tracks, tracks=tuple(meant)))
        self._frame_count = tracks.frame_count
        self._tracks = tracks.tracks
        hidden = [track for track in tracks.tracks if track.hide]
        self.awaited: defaultdict[int, list[Box]] = defaultdict(list)
        self.views: defaultdict[int, list[View]] = defaultdict(list)
        self.more_views = 0
        views = 0
        for track in hidden:
            for frame, box in _edges(track):
                others = self.awaited[frame]
                if all(box.iou(other) < _SAME_PLACE_IOU for other in others):
                    others.append(box)
            if views >= _MOST_VIEWS:
                self.more_views += 1
                continue
            for frame, view in _views(track):
                if 0 <= frame < tracks.frame_count:
                    self.views[frame].append(view)
                    views += 1

    def hidden(self, frame: int) -> list[Box]:
        """Return what is hidden in a frame: boxes whose inscribed ellipses are covered."""
        if frame >= self._frame_count:
            return []
        return [face.box.padded(self._padding_ratio) for face in self._hidden.faces(frame)]

    def is_meant_to_be_seen(self, frame: int, box: Box) -> bool:
        """Return whether a face is there that the tracks leave open."""
        if frame >= self._frame_count:
            return False
        return any(face.box.iou(box) >= _SAME_FACE_IOU for face in self._seen.faces(frame))

    def track_near(self, frame: int, box: Box) -> int | None:
        """Return which track is, or was a moment before or will be, at a place."""
        near = [
            (place.iou(box), track.track_id)
            for track in self._tracks
            if track.first - _OUTSIDE_FRAMES <= frame <= track.last + _OUTSIDE_FRAMES
            for place in (_place(track, frame),)
        ]
        iou, track_id = max(near, default=(0.0, 0))
        return track_id if iou >= _SAME_FACE_IOU else None


def _place(track: Track, frame: int) -> Box:
    """Return where it is in a frame, between its boxes or at its nearer end."""
    after = int(np.searchsorted(track.frames, frame))
    if after == 0 or after == len(track):
        return track.box(min(after, len(track) - 1))
    start, end = int(track.frames[after - 1]), int(track.frames[after])
    share = (frame - start) / (end - start)
    between = (1 - share) * track.boxes[after - 1] + share * track.boxes[after]
    return Box(*between.tolist())


def _edges(track: Track) -> Iterator[tuple[int, Box]]:
    """Give the frames outside of a track, but near it, and where it would be in them."""
    for frame in range(track.first - _OUTSIDE_FRAMES, track.first):
        yield frame, track.box(0)
    for frame in range(track.last + 1, track.last + 1 + _OUTSIDE_FRAMES):
        yield frame, track.box(len(track) - 1)
    for row in np.flatnonzero(np.diff(track.frames) > 1):
        start, end = int(track.frames[row]), int(track.frames[row + 1])
        for frame in range(start + 1, end):
            if min(frame - start, end - frame) <= _OUTSIDE_FRAMES:
                yield frame, _place(track, frame)


def _views(track: Track) -> Iterator[tuple[int, View]]:
    first, last = track.box(0), track.box(len(track) - 1)
    yield track.first - 1, View(track.track_id, "before", first)
    yield track.first, View(track.track_id, "first", first)
    if track.last > track.first:
        yield track.last, View(track.track_id, "last", last)
    yield track.last + 1, View(track.track_id, "after", last)
