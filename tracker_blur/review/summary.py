"""A review in the words of its API: tracks, zones, boxes, as data for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tracker_blur.core.times import time_text
from tracker_blur.core.tracks import ORIGINS, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracker_blur.core.rules import Rules
    from tracker_blur.core.tracks import Track, Tracks

MAX_BOX_FRAMES = 600
"""Boxes are returned for at most this many frames at once."""


_DETECTED, _TRACKED = ORIGINS.index(Origin.DETECTED), ORIGINS.index(Origin.TRACKED)
_MOST_SKIPPED = 8  # frames between two detection frames
_MAX_SPANS = 200


def track_dict(track: Track, person: int, shown: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """Return a track without its boxes.

    Args:
        track: the track.
        person: whose it is.
        shown: (first, last) of each stretch of frames in which zones or limits show it.
    """
    return {
        "id": track.track_id,
        "class": track.label,
        "hidden": track.hide,
        "method": track.method,
        "person": person,
        "first": track.first,
        "last": track.last,
        "frames": len(track),
        "score": round(float(track.scores.max()), 4),
        "spans": _spans(track),
        "shown": [list(span) for span in shown],
        "is_drawn": track.is_drawn,
    }


def _spans(track: Track) -> list[list[Any]]:
    """Return [first, last, origin] of each stretch of frames with one origin.

    Frames between two detections in which the face was tracked count as detected. Of very many
    stretches, neighbors are put together: for a closer look, the boxes can be requested.
    """
    origins = _without_short(track.origins, _TRACKED, _DETECTED, _MOST_SKIPPED)
    spans = _stretches(track, origins)
    size = -(-len(spans) // _MAX_SPANS)
    groups = [spans[at : at + size] for at in range(0, len(spans), size)]
    longest = [max(group, key=lambda span: span[1] - span[0])[0] for group in groups]
    return [
        [
            int(track.frames[group[0][0]]),
            int(track.frames[group[-1][1]]),
            ORIGINS[origins[at]].value,
        ]
        for group, at in zip(groups, longest, strict=True)
    ]


def _stretches(track: Track, origins: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return the first and the last row of each stretch of frames with one origin."""
    is_new = np.diff(track.frames, prepend=track.frames[0] - 2) != 1
    is_new[1:] |= np.diff(origins.astype(np.int16)) != 0
    starts = np.flatnonzero(is_new)
    ends = np.append(starts[1:], len(track)) - 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _without_short(
    origins: npt.NDArray[np.uint8], short: int, around: int, most: int
) -> npt.NDArray[np.uint8]:
    """Return origins, with short stretches of one between another as that other one."""
    edges = np.flatnonzero(np.diff(origins.astype(np.int16), prepend=-1, append=-1))
    starts, stops = edges[:-1], edges[1:]
    before, after = origins[starts - 1], origins[stops % len(origins)]
    is_between = (starts > 0) & (stops < len(origins)) & (stops - starts <= most)
    is_changed = is_between & (before == around) & (origins[starts] == short) & (after == around)
    changed = origins.copy()
    changed[np.repeat(is_changed, stops - starts)] = around
    return changed


def rules_dict(rules: Rules) -> dict[str, Any]:
    """Return zones, sounds and limits."""
    limits = {
        "min_size": None if rules.min_size is None else str(rules.min_size),
        "max_size": None if rules.max_size is None else str(rules.max_size),
        "from": None if rules.start is None else time_text(rules.start),
        "to": None if rules.end is None else time_text(rules.end),
    }
    return {
        "zones": [
            {"number": number, "rule": zone.rule, "where": zone.text}
            for number, zone in enumerate(rules.zones, 1)
        ],
        "sounds": [
            {"number": number, "effect": span.effect, "where": span.text}
            for number, span in enumerate(rules.audio, 1)
        ],
        "limits": limits,
    }


def boxes_dict(tracks: Tracks, first: int, last: int) -> dict[str, Any]:
    """Return all boxes of some frames, ordered by frame."""
    rows: list[list[Any]] = []
    for track in tracks.tracks:
        start, stop = np.searchsorted(track.frames, [first, last + 1])
        edges = np.round(track.boxes[start:stop].astype(np.float64), 2).tolist()
        scores = np.round(track.scores[start:stop].astype(np.float64), 4).tolist()
        origins = track.origins[start:stop].tolist()
        frames = track.frames[start:stop].tolist()
        rows += [
            [frame, track.track_id, *box, ORIGINS[origin].value, score]
            for frame, box, origin, score in zip(frames, edges, origins, scores, strict=True)
        ]
    rows.sort(key=lambda row: row[0])
    return {"first": first, "last": last, "boxes": rows}


def changed_frames(before: Tracks, after: Tracks, track_id: int) -> int:
    """Return in how many frames a track has another box than before, or has or lost one."""
    old, new = (
        next((track for track in tracks.tracks if track.track_id == track_id), None)
        for tracks in (before, after)
    )
    if old is None or new is None:
        return sum(len(track) for track in (old, new) if track is not None)
    _, here, there = np.intersect1d(old.frames, new.frames, True, return_indices=True)
    is_same = (old.boxes[here] == new.boxes[there]).all(axis=1)
    return len(old) + len(new) - len(here) - int(is_same.sum())


def seconds_of(tracks: Tracks, frames: slice | list[int]) -> list[float]:
    """Return when some frames are shown, in seconds since the first one."""
    ticks = tracks.times[frames] - tracks.times[:1]
    return [round(float(tick * tracks.time_base), 6) for tick in ticks.tolist()]


def frame_rate(tracks: Tracks) -> float:
    """Return the frames per second, on average; 0 for one frame."""
    duration = duration_of(tracks)
    return round(tracks.frame_count / duration, 4) if duration else 0.0


def duration_of(tracks: Tracks) -> float:
    """Return the duration in seconds; the last frame is shown as long as is usual."""
    if tracks.frame_count < 2:
        return 0.0
    seconds = tracks.seconds
    return round(float(seconds[-1] - seconds[0] + np.median(np.diff(seconds))), 4)


def numbered(people: Mapping[int, list[Track]]) -> dict[int, int]:
    """Return the person of each track."""
    return {track.track_id: person for person, tracks in people.items() for track in tracks}
