"""Track index: what tracks say of each frame, also just before, after and between their boxes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.rules import NO_RULES
from tracker_blur.core.timeline import Timeline, split
from tracker_blur.core.zones import ZONE
from tracker_blur.redaction.areas import largest_area

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.core.rules import Reason
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.verification.parameters import VerificationParameters


_WITH_DETAIL = "image"  # of the methods


@dataclass(frozen=True, slots=True)
class TrackEnd:
    """A place in a frame where a track begins or ends.

    Attributes:
        track_id: the track.
        moment: "before", "first", "last" or "after".
        box: the face's place.
    """

    track_id: int
    moment: str
    box: Box


class TrackIndex:
    """Looks up tracks by frame and place.

    Args:
        tracks: of the whole video.
        padding_ratio: what was hidden on each side of a face, as a share of its width and height.
        parameters: thresholds.

    Attributes:
        expected: by frame: where a hidden track has no box, but has one a moment earlier or later.
        ends: by frame: the ends of hidden tracks, for a person to look at.
        omitted_ends: tracks whose ends are left out because there are too many.
    """

    def __init__(
        self, tracks: Tracks, padding_ratio: float, parameters: VerificationParameters
    ) -> None:
        self._parameters = parameters
        self._padding_ratio = padding_ratio
        self._hidden = Timeline(tracks)
        hidden, visible = split(tracks)
        self._visible = {
            reason: Timeline(
                replace(
                    tracks,
                    tracks=tuple(
                        replace(part, hide=True) for why, part in visible if why == reason
                    ),
                    rules=NO_RULES,
                )
            )
            for reason, _ in visible
        }
        self._frame_count = tracks.frame_count
        self._tracks = tracks.tracks
        self.expected: defaultdict[int, list[Box]] = defaultdict(list)
        self.ends: defaultdict[int, list[TrackEnd]] = defaultdict(list)
        self.omitted_ends = 0
        for track in hidden:
            self._add_expected(track)
            self._add_ends(track)

    def hidden(self, frame: int) -> list[Box]:
        """Return boxes whose inscribed ellipses are surely hidden in a frame; more may be."""
        if frame >= self._frame_count:
            return []
        return [
            face.box if face.label == ZONE else face.box.padded(self._padding_ratio)
            for face in self._hidden.faces(frame)
            if face.outline is None
        ]

    def without_detail(self, frame: int) -> list[Box]:
        """Return the boxes of which nothing is left in a frame; an image has detail of its own."""
        if frame >= self._frame_count:
            return []
        return [face.box for face in self._hidden.faces(frame) if face.method != _WITH_DETAIL]

    def changed(self, frame: int) -> list[Box]:
        """Return boxes around all that redaction may have changed in a frame, but soft edges."""
        if frame >= self._frame_count:
            return []
        return [
            largest_area(face.box, face.label, self._padding_ratio)
            for face in self._hidden.faces(frame)
        ]

    def left_visible(self, frame: int, box: Box) -> tuple[Reason, int] | None:
        """Return why a face is visible here on purpose, and its track; None: it is not.

        A face next to one that stays visible, or before it, is another one: the two boxes must hold
        each other's center, and no hidden track may be as near.
        """
        if frame >= self._frame_count:
            return None
        found = [
            (face.box.iou(box), (reason, face.track_id))
            for reason, timeline in self._visible.items()
            for face in timeline.faces(frame)
            if _holds_center(face.box, box) and _holds_center(box, face.box)
        ]
        iou, why = max(found, key=itemgetter(0), default=(0.0, None))
        if iou < self._parameters.track_iou or iou <= self._hidden_iou(frame, box):
            return None
        return why

    def is_hidden_near(self, frame: int, box: Box) -> bool:
        """Return whether a track that is hidden in a frame is that of this face."""
        if frame >= self._frame_count:
            return False
        return self._hidden_iou(frame, box) >= self._parameters.track_iou

    def _hidden_iou(self, frame: int, box: Box) -> float:
        return max((face.box.iou(box) for face in self._hidden.faces(frame)), default=0.0)

    def track_near(self, frame: int, box: Box) -> int | None:
        """Return the track that is at a place, or was a moment earlier, or will be."""
        margin = self._parameters.track_margin_frames
        near = [
            (_place(track, frame).iou(box), track.track_id)
            for track in self._tracks
            if track.first - margin <= frame <= track.last + margin
        ]
        iou, track_id = max(near, default=(0.0, 0))
        return track_id if iou >= self._parameters.track_iou else None

    def _add_expected(self, track: Track) -> None:
        for frame, box in _surroundings(track, self._parameters.track_margin_frames):
            others = self.expected[frame]
            if all(box.iou(other) < self._parameters.expected_face_iou for other in others):
                others.append(box)

    def _add_ends(self, track: Track) -> None:
        if sum(map(len, self.ends.values())) >= self._parameters.max_end_views:
            self.omitted_ends += 1
            return
        for frame, end in _ends(track):
            if 0 <= frame < self._frame_count:
                self.ends[frame].append(end)


def _holds_center(box: Box, other: Box) -> bool:
    x, y = other.center
    return box.left <= x <= box.right and box.top <= y <= box.bottom


def _place(track: Track, frame: int) -> Box:
    """Return where a track is in a frame: interpolated between its boxes, or at its nearer end."""
    after = int(np.searchsorted(track.frames, frame))
    if after == 0 or after == len(track):
        return track.box(min(after, len(track) - 1))
    start, end = int(track.frames[after - 1]), int(track.frames[after])
    share = (frame - start) / (end - start)
    between = (1 - share) * track.boxes[after - 1] + share * track.boxes[after]
    return Box(*between.tolist())


def _surroundings(track: Track, margin_frames: int) -> Iterator[tuple[int, Box]]:
    """Yield the frames near a track in which it has no box, and where it would be in them."""
    for frame in range(track.first - margin_frames, track.first):
        yield frame, track.box(0)
    for frame in range(track.last + 1, track.last + 1 + margin_frames):
        yield frame, track.box(len(track) - 1)
    for row in np.flatnonzero(np.diff(track.frames) > 1):
        start, end = int(track.frames[row]), int(track.frames[row + 1])
        for frame in range(start + 1, end):
            if min(frame - start, end - frame) <= margin_frames:
                yield frame, _place(track, frame)


def _ends(track: Track) -> Iterator[tuple[int, TrackEnd]]:
    first, last = track.box(0), track.box(len(track) - 1)
    yield track.first - 1, TrackEnd(track.track_id, "before", first)
    yield track.first, TrackEnd(track.track_id, "first", first)
    if track.last > track.first:
        yield track.last, TrackEnd(track.track_id, "last", last)
    yield track.last + 1, TrackEnd(track.track_id, "after", last)
