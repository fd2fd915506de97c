"""Changes to tracks that a person asks for: pure functions from Tracks to Tracks.

`ids` are tracks' identifiers; one that no track has is a SettingsError. `frames` is a range of
frames' indices. Boxes that are moved, grown or drawn are of the origin DRAWN.

What a change made of tracks, counted in boxes, for a person to check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tracker_blur.annotations.rows import FARTHEST_PX
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Boxes, Face, Origin, Track, Tracks, TracksBuilder
from tracker_blur.errors import SettingsError

_DRAWN = ORIGINS.index(Origin.DRAWN)


def set_hidden(tracks: Tracks, ids: Collection[int], hide: bool) -> Tracks:
    """Hide these tracks, or leave them visible."""
    return _each(tracks, ids, lambda track: replace(track, hide=hide))


def hide_only(tracks: Tracks, ids: Collection[int]) -> Tracks:
    """Hide these tracks and leave every other one visible."""
    others = [track.track_id for track in tracks.tracks if track.track_id not in ids]
    return set_hidden(set_hidden(tracks, ids, True), others, False)


def set_method(tracks: Tracks, ids: Collection[int], method: str | None) -> Tracks:
    """Hide these tracks by another method, None for the settings'."""
    return _each(tracks, ids, lambda track: replace(track, method=method))


def drop(tracks: Tracks, ids: Collection[int]) -> Tracks:
    """Forget these tracks: what they hid becomes visible."""
    return _each(tracks, ids, lambda _: None)


def drop_frames(tracks: Tracks, ids: Collection[int], frames: range) -> Tracks:
    """Forget the boxes of these tracks in some frames, and a track that has none left."""
    return _each(tracks, ids, lambda track: track.rows(~_within(track, frames)))


def move(tracks: Tracks, ids: Collection[int], frames: range, dx: float, dy: float) -> Tracks:
    """Move boxes by (dx, dy) pixels, to the right and down."""
    shift = np.array([dx, dy, dx, dy], np.float32)
    return _reshape(tracks, ids, frames, lambda boxes: boxes + shift)


def pad(tracks: Tracks, ids: Collection[int], frames: range, ratio: float) -> Tracks:
    """Grow boxes on each side by a share of their width and height; less than 0 shrinks them.

    Raises SettingsError for a ratio that leaves nothing of a box, -0.5 or less.
    """
    if ratio <= -0.5:
        raise SettingsError(f"a padding of {ratio:g} leaves nothing of a box: give more than -0.5")

    def padded(boxes: Boxes) -> Boxes:
        margin = (boxes[:, 2:] - boxes[:, :2]) * np.float32(ratio)
        return np.hstack([boxes[:, :2] - margin, boxes[:, 2:] + margin])

    return _reshape(tracks, ids, frames, padded)


def merge(tracks: Tracks, ids: Sequence[int]) -> Tracks:
    """Make one track of several, with the first one's identifier; where they meet, hide both.

    It is hidden when any of them is; the label and the method are the first one's, and where that
    has no method, the next one's.
    """
    parts = [_find(tracks, track_id) for track_id in dict.fromkeys(ids)]
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
    return _with(drop(tracks, ids), merged)


def draw(tracks: Tracks, track_id: int, keys: Mapping[int, Box]) -> Tracks:
    """Add boxes to a track, or make a new one; `keys` are boxes by frames.

    Between two of these frames the box moves evenly, in time; where the track has a box already,
    both are hidden. Raises SettingsError for a box without an area, a frame that the video does
    not have, and a track that is left visible: nothing would be hidden.
    """
    if not keys:
        raise SettingsError("a track is drawn by at least one box")
    for frame, box in keys.items():
        if not 0 <= frame < tracks.frame_count:
            raise SettingsError(
                f"there is no frame {frame}: the last one is {tracks.frame_count - 1}"
            )
        _check_boxes(np.array([box.as_tuple()], np.float32), track_id)
    old = next((track for track in tracks.tracks if track.track_id == track_id), None)
    builder = TracksBuilder()
    if old is not None:
        if not old.hide:
            raise SettingsError(
                f"track {track_id} is left visible, a box in it would hide nothing: hide it, or "
                "draw with a new number"
            )
        _add_rows(builder, old, track_id)
    for frame, box in _between(tracks, keys).items():
        builder.add(frame, Face(track_id, box, 1.0, Origin.DRAWN))
    track = builder.tracks()[0]
    if old is not None:
        track = replace(track, method=old.method, label=old.label)
    return _with(tracks, track)


def _each(tracks: Tracks, ids: Collection[int], change: Callable[[Track], Track | None]) -> Tracks:
    for track_id in ids:
        _find(tracks, track_id)
    changed = (change(track) if track.track_id in ids else track for track in tracks.tracks)
    return replace(tracks, tracks=tuple(track for track in changed if track is not None))


def _find(tracks: Tracks, track_id: int) -> Track:
    for track in tracks.tracks:
        if track.track_id == track_id:
            return track
    known = [track.track_id for track in tracks.tracks]
    rows = f"they go from {known[0]} to {known[-1]}" if known else "there are none"
    raise SettingsError(f"there is no track {track_id}: {rows}")


def _reshape(
    tracks: Tracks, ids: Collection[int], frames: range, shape: Callable[[Boxes], Boxes]
) -> Tracks:
    def reshaped(track: Track) -> Track:
        which = _within(track, frames)
        boxes, origins = track.boxes.copy(), track.origins.copy()
        boxes[which], origins[which] = shape(boxes[which]), _DRAWN
        _check_boxes(boxes, track.track_id)
        return replace(track, boxes=boxes, origins=origins)

    return _each(tracks, ids, reshaped)


def _check_boxes(boxes: Boxes, track_id: int) -> None:
    is_near = (np.abs(boxes) <= FARTHEST_PX).all()
    if not (is_near and (boxes[:, :2] < boxes[:, 2:]).all()):
        raise SettingsError(
            f"a box of track {track_id} would hold no area or lie far outside of the picture"
        )


def _within(track: Track, frames: range) -> npt.NDArray[np.bool_]:
    return np.logical_and(track.frames >= frames.start, track.frames < frames.stop)


def _with(tracks: Tracks, track: Track) -> Tracks:
    """Return the tracks with this one, in the place of one that has its identifier."""
    others = [other for other in tracks.tracks if other.track_id != track.track_id]
    ordered = sorted([*others, track], key=lambda track: track.track_id)
    return replace(tracks, tracks=tuple(ordered))


def _add_rows(builder: TracksBuilder, track: Track, track_id: int) -> None:
    for row, frame in enumerate(track.frames.tolist()):
        face = Face(track_id, track.box(row), float(track.scores[row]), ORIGINS[track.origins[row]])
        builder.add(frame, face)


def _between(tracks: Tracks, keys: Mapping[int, Box]) -> dict[int, Box]:
    frames = np.arange(min(keys), max(keys) + 1)
    ordered = sorted(keys)
    edges = [
        np.interp(tracks.times[frames], tracks.times[ordered], values)
        for values in zip(*(keys[frame].as_tuple() for frame in ordered), strict=True)
    ]
    return {
        frame: Box(*(float(edge[row]) for edge in edges))
        for row, frame in enumerate(frames.tolist())
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """How tracks differ from what they were.

    before    boxes that there were
    after     boxes that there are
    added     of a track in a frame where it had none
    removed   of a track in a frame where it has none now
    changed   boxes that are elsewhere, or of another size
    is_other  whether anything else is not as it was: who is hidden, by what, scores, origins
    """

    before: int
    after: int
    added: int
    removed: int
    changed: int
    is_other: bool

    @property
    def are_none(self) -> bool:
        """Whether all is as it was."""
        return not (self.added or self.removed or self.changed or self.is_other)

    def __str__(self) -> str:
        """Return it in a few words."""
        if self.are_none:
            return "nothing changed"
        counts = {"added": self.added, "removed": self.removed, "changed": self.changed}
        said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"boxes: {self.before} -> {self.after} ({said or 'all as they were'})"


def between(before: Tracks, after: Tracks) -> Changes:
    """Count what became of the boxes of `before`."""
    was = {track.track_id: track for track in before.tracks}
    now = {track.track_id: track for track in after.tracks}
    boxes_before, boxes_after = _boxes(before), _boxes(after)
    kept, changed, is_other = 0, 0, was.keys() != now.keys()
    for track_id in was.keys() & now.keys():
        one, other = was[track_id], now[track_id]
        _, here, there = np.intersect1d(one.frames, other.frames, True, return_indices=True)
        kept += len(here)
        changed += int(np.any(one.boxes[here] != other.boxes[there], axis=1).sum())
        is_other |= _said(one) != _said(other)
        is_other |= bool(np.any(one.scores[here] != other.scores[there]))
        is_other |= bool(np.any(one.origins[here] != other.origins[there]))
    return Changes(
        boxes_before, boxes_after, boxes_after - kept, boxes_before - kept, changed, is_other
    )


def _boxes(tracks: Tracks) -> int:
    return sum(len(track) for track in tracks.tracks)


def _said(track: Track) -> tuple[bool, str | None, str]:
    return track.hide, track.method, track.label
