"""Edits of tracks, as functions from Tracks to Tracks, and what they changed.

`ids` are the numbers of tracks; an unknown one raises SettingsError. `frames` is a range of frame
numbers. Boxes that are moved, padded or drawn get the origin DRAWN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.annotations.rows import FARTHEST_PX
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Boxes, Face, Origin, Track, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence


_DRAWN = ORIGINS.index(Origin.DRAWN)
_LISTED = 10  # tracks that a message names


def set_hidden(tracks: Tracks, ids: Collection[int], hide: bool) -> Tracks:
    """Hide these tracks, or leave them visible."""
    return _each(tracks, ids, lambda track: replace(track, hide=hide))


def hide_only(tracks: Tracks, ids: Collection[int]) -> Tracks:
    """Hide these tracks and leave every other one visible."""
    others = [track.track_id for track in tracks.tracks if track.track_id not in ids]
    return set_hidden(set_hidden(tracks, ids, True), others, False)


def set_method(tracks: Tracks, ids: Collection[int], method: str | None) -> Tracks:
    """Hide these tracks by another method; None: the settings' method."""
    return _each(tracks, ids, lambda track: replace(track, method=method))


def drop(tracks: Tracks, ids: Collection[int]) -> Tracks:
    """Remove these tracks: what they hid becomes visible."""
    return _each(tracks, ids, lambda _: None)


def drop_frames(tracks: Tracks, ids: Collection[int], frames: range) -> Tracks:
    """Remove the boxes of these tracks in some frames, and tracks without any box left."""
    return _each(tracks, ids, lambda track: track.rows(~_within(track, frames)))


def move(tracks: Tracks, ids: Collection[int], frames: range, dx: float, dy: float) -> Tracks:
    """Move boxes by (dx, dy) pixels, to the right and down."""
    shift = np.array([dx, dy, dx, dy], np.float32)
    return _reshape(tracks, ids, frames, lambda boxes: boxes + shift)


def pad(tracks: Tracks, ids: Collection[int], frames: range, ratio: float) -> Tracks:
    """Grow boxes on each side by a share of their width and height; below 0, shrink them.

    Raises:
        SettingsError: The ratio leaves nothing of a box: -0.5 or less.
    """
    if ratio <= -0.5:
        raise SettingsError(f"a padding of {ratio:g} leaves nothing of a box: give more than -0.5")

    def padded(boxes: Boxes) -> Boxes:
        margin = (boxes[:, 2:] - boxes[:, :2]) * np.float32(ratio)
        return np.hstack([boxes[:, :2] - margin, boxes[:, 2:] + margin])

    return _reshape(tracks, ids, frames, padded)


def merge(tracks: Tracks, ids: Sequence[int]) -> Tracks:
    """Merge tracks into one with the first one's number; where they meet, hide both boxes.

    The merged track is hidden if any of them is. It has the first one's label, and the first method
    that any of them has.
    """
    parts = [find(tracks, track_id) for track_id in dict.fromkeys(ids)]
    builder = TracksBuilder()
    for part in parts:
        _add_rows(builder, part, parts[0].track_id)
    methods = (part.method for part in parts if part.method is not None)
    merged = replace(
        builder.tracks()[0],
        hide=any(part.hide for part in parts),
        method=next(methods, None),
        label=parts[0].label,
    )
    return with_track(drop(tracks, ids), merged)


def draw(tracks: Tracks, track_id: int, keyframes: Mapping[int, Box]) -> Tracks:
    """Add boxes to a track, or make a new track.

    Between two keyframes the box is interpolated linearly in time. Where the track already has a
    box, both are hidden.

    Args:
        tracks: all tracks.
        track_id: number of the track.
        keyframes: boxes by frame.

    Raises:
        SettingsError: A box has no area, the video has no such frame, or nothing would be hidden:
            all boxes lie outside of the frame, or the track is left visible.
    """
    if not keyframes:
        raise SettingsError("a drawn track needs at least one box")
    for frame, box in keyframes.items():
        if not 0 <= frame < tracks.frame_count:
            raise SettingsError(
                f"there is no frame {frame}: the last frame is {tracks.frame_count - 1}"
            )
        check_boxes(np.array([box.as_tuple()], np.float32), track_id)
    width, height = tracks.size
    frame_box = Box(0, 0, width, height)
    if not any(box.intersection_area(frame_box) for box in keyframes.values()):
        raise SettingsError(
            f"track {track_id}: what is drawn lies outside of the frame, which has "
            f"{width}x{height} pixels: give a place in it"
        )
    old = next((track for track in tracks.tracks if track.track_id == track_id), None)
    builder = TracksBuilder()
    if old is not None:
        if not old.hide:
            raise SettingsError(
                f"track {track_id} is left visible, so a box in it would hide nothing: hide the "
                "track, or draw a new one"
            )
        _add_rows(builder, old, track_id)
    for frame, box in _interpolated(tracks, keyframes).items():
        builder.add(frame, Face(track_id, box, 1.0, Origin.DRAWN))
    track = builder.tracks()[0]
    if old is not None:
        track = replace(track, method=old.method, label=old.label)
    return with_track(tracks, track)


def add_boxes(tracks: Tracks, track_id: int, boxes: Mapping[int, tuple[Box, Origin]]) -> Tracks:
    """Add boxes by frame, each with its origin, to a track; where it has one, both are hidden."""
    old = find(tracks, track_id)
    builder = TracksBuilder()
    _add_rows(builder, old, track_id)
    for frame, (box, origin) in boxes.items():
        builder.add(frame, Face(track_id, box, 1.0, origin))
    track = replace(builder.tracks()[0], hide=old.hide, method=old.method, label=old.label)
    return with_track(tracks, track)


def _each(tracks: Tracks, ids: Collection[int], change: Callable[[Track], Track | None]) -> Tracks:
    for track_id in ids:
        find(tracks, track_id)
    changed = (change(track) if track.track_id in ids else track for track in tracks.tracks)
    return replace(tracks, tracks=tuple(track for track in changed if track is not None))


def find(tracks: Tracks, track_id: int) -> Track:
    """Return the track of this number; raises SettingsError if there is none."""
    for track in tracks.tracks:
        if track.track_id == track_id:
            return track
    known = [str(track.track_id) for track in tracks.tracks]
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    numbers = f"there are {', '.join(known[:_LISTED])}{more}" if known else "there are none"
    raise SettingsError(f"there is no track {track_id}: {numbers}")


def _reshape(
    tracks: Tracks, ids: Collection[int], frames: range, shape: Callable[[Boxes], Boxes]
) -> Tracks:
    def reshaped(track: Track) -> Track:
        which = _within(track, frames)
        boxes, origins = track.boxes.copy(), track.origins.copy()
        boxes[which], origins[which] = shape(boxes[which]), _DRAWN
        check_boxes(boxes, track.track_id)
        return replace(track, boxes=boxes, origins=origins)

    return _each(tracks, ids, reshaped)


def check_boxes(boxes: Boxes, track_id: int) -> None:
    """Raise SettingsError if a box has no area, or lies far outside of the frame."""
    is_near = (np.abs(boxes) <= FARTHEST_PX).all()
    if not (is_near and (boxes[:, :2] < boxes[:, 2:]).all()):
        raise SettingsError(
            f"a box of track {track_id} would have no area or lie far outside of the frame: give "
            "left < right, top < bottom, near the frame"
        )


def _within(track: Track, frames: range) -> npt.NDArray[np.bool_]:
    return np.logical_and(track.frames >= frames.start, track.frames < frames.stop)


def with_track(tracks: Tracks, track: Track) -> Tracks:
    """Return the tracks with this one, which replaces the one with its number."""
    others = [other for other in tracks.tracks if other.track_id != track.track_id]
    ordered = sorted([*others, track], key=lambda track: track.track_id)
    return replace(tracks, tracks=tuple(ordered))


def _add_rows(builder: TracksBuilder, track: Track, track_id: int) -> None:
    for row, frame in enumerate(track.frames.tolist()):
        face = Face(track_id, track.box(row), float(track.scores[row]), ORIGINS[track.origins[row]])
        builder.add(frame, face)


def _interpolated(tracks: Tracks, keyframes: Mapping[int, Box]) -> dict[int, Box]:
    frames = np.arange(min(keyframes), max(keyframes) + 1)
    ordered = sorted(keyframes)
    edges = [
        np.interp(tracks.times[frames], tracks.times[ordered], values)
        for values in zip(*(keyframes[frame].as_tuple() for frame in ordered), strict=True)
    ]
    return {
        frame: Box(*(float(edge[row]) for edge in edges))
        for row, frame in enumerate(frames.tolist())
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """How tracks differ before and after edits, in boxes.

    Attributes:
        before: boxes before.
        after: boxes after.
        added: boxes in frames where the track had none.
        removed: boxes in frames where the track has none now.
        changed: boxes with another place or size.
        has_others: whether anything else changed: what is hidden, methods, scores, origins, zones.
    """

    before: int
    after: int
    added: int
    removed: int
    changed: int
    has_others: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.added or self.removed or self.changed or self.has_others)

    def __str__(self) -> str:
        """Return a short summary."""
        if self.is_empty:
            return "nothing changed"
        counts = {"added": self.added, "removed": self.removed, "changed": self.changed}
        text = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"boxes: {self.before} -> {self.after} ({text or 'unchanged'})"


def compare(before: Tracks, after: Tracks) -> Changes:
    """Return how `after` differs from `before`."""
    was = {track.track_id: track for track in before.tracks}
    now = {track.track_id: track for track in after.tracks}
    boxes_before, boxes_after = _boxes(before), _boxes(after)
    kept, changed = 0, 0
    has_others = was.keys() != now.keys() or before.rules != after.rules
    for track_id in was.keys() & now.keys():
        one, other = was[track_id], now[track_id]
        _, here, there = np.intersect1d(one.frames, other.frames, True, return_indices=True)
        kept += len(here)
        changed += int(np.any(one.boxes[here] != other.boxes[there], axis=1).sum())
        has_others |= _properties(one) != _properties(other)
        has_others |= bool(np.any(one.scores[here] != other.scores[there]))
        has_others |= bool(np.any(one.origins[here] != other.origins[there]))
    return Changes(
        boxes_before, boxes_after, boxes_after - kept, boxes_before - kept, changed, has_others
    )


def exposed(before: Tracks, after: Tracks) -> dict[int, int]:
    """Return, by track, how many boxes were removed where no hidden box covers the face now."""
    now = {track.track_id: track.frames for track in after.tracks}
    counts = {}
    for track in before.tracks:
        is_open = ~np.isin(track.frames, now.get(track.track_id, ()))
        for other in after.tracks if is_open.any() else ():
            if other.hide:
                _, here, there = np.intersect1d(
                    track.frames, other.frames, True, return_indices=True
                )
                inner, outer = track.boxes[here], other.boxes[there]
                is_within = np.logical_and(
                    outer[:, :2] <= inner[:, :2], outer[:, 2:] >= inner[:, 2:]
                ).all(axis=1)
                is_open[here[is_within]] = False
        if is_open.any():
            counts[track.track_id] = int(is_open.sum())
    return counts


def _boxes(tracks: Tracks) -> int:
    return sum(len(track) for track in tracks.tracks)


def _properties(track: Track) -> tuple[bool, str | None, str]:
    return track.hide, track.method, track.label
