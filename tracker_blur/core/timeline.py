"""What tracks and their rules say of each frame: what is hidden in it, and what stays visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.rules import NO_RULES, Reason
from tracker_blur.core.tracks import ORIGINS, Face, Track, Tracks
from tracker_blur.core.zones import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LAST_TICK = np.iinfo(np.int64).max


class Timeline:
    """An index of tracks by frame: what to hide in it, as the tracks and their rules say."""

    def __init__(self, tracks: Tracks) -> None:
        hidden, _ = split(tracks)
        self._tracks = hidden
        self._size = tracks.size
        self._seconds = tracks.seconds - tracks.seconds[:1]
        self._zones = [
            (number, zone, zone.active(*frame_ticks(tracks), tracks.time_base))
            for number, zone in enumerate(tracks.rules.hide_zones)
        ]
        owners = [np.full(len(track), index) for index, track in enumerate(hidden)]
        rows = [np.arange(len(track)) for track in hidden]
        frames = _concatenated([track.frames for track in hidden], np.int32)
        order = np.argsort(frames, kind="stable")
        self._owners = _concatenated(owners, np.int32)[order]
        self._rows = _concatenated(rows, np.int32)[order]
        self._starts = np.searchsorted(frames[order], np.arange(tracks.frame_count + 1))

    def faces(self, frame: int) -> tuple[Face, ...]:
        """Return the faces to hide in this frame, in pixels of the full-size upright frame."""
        start, end = self._starts[frame], self._starts[frame + 1]
        faces = [
            self._face(self._tracks[owner], row)
            for owner, row in zip(self._owners[start:end], self._rows[start:end], strict=True)
        ]
        seconds = float(self._seconds[frame])
        for number, zone, active in self._zones:
            face = Face.of_zone(number, zone, seconds, self._size) if active[frame] else None
            if face is not None:
                faces.append(face)
        return tuple(faces)

    def _face(self, track: Track, row: int) -> Face:
        origin = ORIGINS[track.origins[row]]
        score = float(track.scores[row])
        return Face(track.track_id, track.box(row), score, origin, track.method, track.label)


def frame_ticks(
    tracks: Tracks,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return when each frame begins and ends, in units of the time base since the first one."""
    ticks = tracks.times - tracks.times[:1]
    return ticks, np.append(ticks[1:], _LAST_TICK)


def split(tracks: Tracks) -> tuple[list[Track], list[tuple[Reason, Track]]]:
    """Return what is hidden of tracks, and what stays visible and why.

    A track may be in both, in different frames. Zones that hide are in neither.
    """
    hidden: list[Track] = []
    visible: list[tuple[Reason, Track]] = []
    if tracks.rules == NO_RULES:
        hidden = [track for track in tracks.tracks if track.hide]
        return hidden, [("track", track) for track in tracks.tracks if not track.hide]
    ticks, ends = frame_ticks(tracks)
    for track in tracks.tracks:
        if not track.hide:
            visible.append(("track", track))
            continue
        rest = np.ones(len(track), bool)
        for reason, which in _left_visible(track, tracks, ticks, ends):
            part = track.rows(which & rest)
            if part is not None:
                visible.append((reason, part))
            rest &= ~which
        part = track.rows(rest)
        if part is not None:
            hidden.append(part)
    return hidden, visible


def _left_visible(
    track: Track,
    tracks: Tracks,
    ticks: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Iterator[tuple[Reason, npt.NDArray[np.bool_]]]:
    """Yield which rows of a track stay visible, and why."""
    rules, size = tracks.rules, tracks.size
    if track.is_drawn:
        return
    starts, stops = ticks[track.frames], ends[track.frames]
    if rules.has_span:
        yield "time", ~within(starts, stops, tracks.time_base, rules.start, rules.end)
    other = rules.has_other_size(track.boxes, size)
    if other.all():
        yield "size", other
    seconds = np.asarray(starts * float(tracks.time_base), np.float64)
    for zone in rules.ignore_zones:
        active = zone.active(starts, stops, tracks.time_base)
        if active.any() and zone.holds(track.boxes[active], seconds[active], size).all():
            yield "zone", active


def _concatenated(parts: Sequence[npt.NDArray[np.generic]], dtype: type) -> npt.NDArray[np.int32]:
    return np.concatenate(parts).astype(dtype) if parts else np.empty(0, dtype)
