"""Edits of one track's boxes and ends by a person who looks at the frames.

As in `tracker_blur.annotations.edits`, these are functions from Tracks to Tracks, an unknown track
or frame raises SettingsError, and boxes that a person placed get the origin DRAWN.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.annotations.edits import check_boxes, find, with_track
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_DRAWN, _BETWEEN = ORIGINS.index(Origin.DRAWN), ORIGINS.index(Origin.BETWEEN)
_BLEND_SECONDS = 0.5  # a correction fades out over this time, or at the next one
_FILL_SECONDS = 2.0  # the longest gap that a new box fills


def split(tracks: Tracks, track_id: int, frame: int, new_id: int) -> Tracks:
    """Make what a track is from a frame on a track of its own.

    Raises:
        SettingsError: the track does not lie on both sides of the frame, or the new number is
            taken.
    """
    track = find(tracks, track_id)
    if any(other.track_id == new_id for other in tracks.tracks):
        raise SettingsError(f"there is a track {new_id} already: give another number")
    before, after = track.rows(track.frames < frame), track.rows(track.frames >= frame)
    if before is None or after is None:
        raise SettingsError(
            f"track {track_id} has frames from {track.first} to {track.last} only: split it "
            "between two of them"
        )
    return with_track(with_track(tracks, before), replace(after, track_id=new_id))


def set_label(tracks: Tracks, ids: Collection[int], label: str) -> Tracks:
    """Say that these tracks are of another class."""
    for track_id in ids:
        tracks = with_track(tracks, replace(find(tracks, track_id), label=label))
    return tracks


def set_ends(tracks: Tracks, track_id: int, first: int, last: int) -> Tracks:
    """Let a track begin and end with these frames: what is outside goes, and ends are held.

    Raises:
        SettingsError: the frames are in the wrong order, or nothing of the track lies between them.
    """
    check_frame(tracks, first)
    check_frame(tracks, last)
    if first > last:
        raise SettingsError(f"frame {first} is after frame {last}: swap the two")
    track = find(tracks, track_id)
    kept = track.rows((track.frames >= first) & (track.frames <= last))
    if kept is None:
        raise SettingsError(
            f"track {track_id} has no frame from {first} to {last}: it would be gone; drop it "
            "instead"
        )
    tracks = with_track(tracks, kept)
    return extend(extend(tracks, track_id, first), track_id, last)


def extend(tracks: Tracks, track_id: int, frame: int) -> Tracks:
    """Hold the first or the last box of a track up to this frame; nothing if it is within."""
    check_frame(tracks, frame)
    track = find(tracks, track_id)
    if frame < track.first:
        added, row = range(frame, track.first), 0
    else:
        added, row = range(track.last + 1, frame + 1), len(track) - 1
    held = dict.fromkeys(added, (track.box(row), Origin.DRAWN))
    return with_rows(tracks, track, held) if held else tracks


def reshape(
    tracks: Tracks, track_id: int, frame: int, box: Box, keyframes: Collection[int] = ()
) -> Tracks:
    """Give a track another box in one frame, and let its neighbors hide the way there, too.

    The correction of the frame fades out over half a second to both sides, or up to the next frame
    that was corrected before. There, what was hidden before stays hidden: boxes only grow. Where
    the track has no box, the way to its nearest ones is filled. Nothing changes across a scene cut.

    Args:
        tracks: all tracks.
        track_id: number of the track.
        frame: the frame.
        box: where it is there.
        keyframes: frames of this track that were corrected before.

    Raises:
        SettingsError: the box has no area, or there is no such frame or track.
    """
    check_frame(tracks, frame)
    track = find(tracks, track_id)
    check_boxes(np.array([box.as_tuple()], np.float32), track_id)
    row = int(np.searchsorted(track.frames, frame))
    if row == len(track) or track.frames[row] != frame:
        return with_rows(tracks, track, _filled(tracks, track, row, frame, box))
    shot = _shot(tracks, frame)
    seconds = tracks.seconds[track.frames]
    away = np.abs(seconds - seconds[row])
    weights = np.clip(1 - away / _reach(tracks, track, row, keyframes), 0, 1)
    weights[(track.frames < shot.start) | (track.frames >= shot.stop)] = 0
    weights[np.isin(track.frames, list(keyframes))] = 0
    weights[row] = 1
    boxes = track.boxes + np.float32(weights[:, None]) * (
        np.array(box.as_tuple(), np.float32) - track.boxes[row]
    )
    # A correction by much may turn a much smaller neighbor inside out: it stays as it was.
    is_blended = (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
    is_blended[row] = False
    grown = track.boxes.copy()
    grown[is_blended, :2] = np.minimum(track.boxes, boxes)[is_blended, :2]
    grown[is_blended, 2:] = np.maximum(track.boxes, boxes)[is_blended, 2:]
    grown[row] = box.as_tuple()
    origins = track.origins.copy()
    origins[row] = _DRAWN
    check_boxes(grown, track_id)
    return with_track(tracks, replace(track, boxes=grown, origins=origins))


def with_rows(tracks: Tracks, track: Track, boxes: Mapping[int, tuple[Box, Origin]]) -> Tracks:
    """Return the tracks with boxes, by frame, added to one of them where it has none."""
    builder = TracksBuilder()
    for frame, (box, origin) in boxes.items():
        builder.add(frame, Face(track.track_id, box, 1.0, origin))
    added = builder.tracks()[0]
    order = np.argsort(np.concatenate([track.frames, added.frames]), kind="stable")
    merged = replace(
        track,
        frames=np.concatenate([track.frames, added.frames])[order],
        boxes=np.concatenate([track.boxes, added.boxes])[order],
        scores=np.concatenate([track.scores, added.scores])[order],
        origins=np.concatenate([track.origins, added.origins])[order],
    )
    return with_track(tracks, merged)


def check_frame(tracks: Tracks, frame: int) -> None:
    """Raise SettingsError if a video has no such frame."""
    if not 0 <= frame < tracks.frame_count:
        raise SettingsError(
            f"there is no frame {frame}: the last frame is {tracks.frame_count - 1}"
        )


def _shot(tracks: Tracks, frame: int) -> range:
    start = max((cut for cut in tracks.cuts if cut <= frame), default=0)
    return range(
        start, min((cut for cut in tracks.cuts if cut > frame), default=tracks.frame_count)
    )


def _reach(
    tracks: Tracks, track: Track, row: int, keyframes: Collection[int]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return, for each row, after how many seconds on its side a correction has faded out."""
    seconds, frame = tracks.seconds, int(track.frames[row])
    sides = []
    for others in ([f for f in keyframes if f < frame], [f for f in keyframes if f > frame]):
        nearest = min((abs(seconds[f] - seconds[frame]) for f in others), default=_BLEND_SECONDS)
        sides.append(max(min(nearest, _BLEND_SECONDS), 1e-9))
    return np.where(np.arange(len(track)) < row, *sides)


def _filled(
    tracks: Tracks, track: Track, row: int, frame: int, box: Box
) -> dict[int, tuple[Box, Origin]]:
    """Return a new box, and those between it and the nearest ones of the track."""
    shot = _shot(tracks, frame)
    boxes = {frame: (box, Origin.DRAWN)}
    for neighbor in (row - 1, row):
        if not 0 <= neighbor < len(track):
            continue
        other = int(track.frames[neighbor])
        ends = tracks.seconds[[other, frame]]
        if other not in shot or abs(ends[1] - ends[0]) > _FILL_SECONDS:
            continue
        between = range(min(other, frame) + 1, max(other, frame))
        for at in between:
            share = float((tracks.seconds[at] - ends[0]) / (ends[1] - ends[0]))
            edges = zip(track.box(neighbor).as_tuple(), box.as_tuple(), strict=True)
            mixed = Box(*(one + share * (two - one) for one, two in edges))
            boxes[at] = (mixed, Origin.BETWEEN)
    return boxes
