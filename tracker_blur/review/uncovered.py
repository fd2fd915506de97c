"""What a review shows that the track file hid, and no one has decided to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box_arrays import areas, intersection_areas
from tracker_blur.core.timeline import frame_ticks, split
from tracker_blur.core.zones import bounds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.rules import Reason
    from tracker_blur.core.tracks import Track, Tracks

_COVERED_SHARE = 0.8
"""A box is still hidden where another one holds this share of it."""

Mask = npt.NDArray[np.bool_]


class Uncovered(NamedTuple):
    """A stretch of frames in which a face can be seen that was hidden before.

    Attributes:
        track_id: the track of the track file that hid it.
        first: the first frame.
        last: the last frame.
        box: where, in the first frame.
        reason: why, if zones or limits leave it visible; None: an edit did.
    """

    track_id: int
    first: int
    last: int
    box: Box
    reason: Reason | None


def uncovered(before: Tracks, now: Tracks, decided: Collection[int]) -> Iterator[Uncovered]:
    """Yield what was hidden and is no longer, unless a person decided to show that track.

    Args:
        before: the tracks of the track file.
        now: those after all edits.
        decided: tracks that a person has said to hide or to keep.
    """
    hidden, visible = split(now)
    by_id = {track.track_id: track for track in hidden}
    kept = [track for track in now.tracks if not track.hide and track.track_id in decided]
    for track in split(before)[0]:
        same = by_id.get(track.track_id)
        if same is not None and _is_same(track, same):
            continue
        is_open = ~_covered(track, [*hidden, *kept])
        if is_open.any():
            is_open &= ~_in_zones(track, now)
        reasons = [(why, part) for why, part in visible if part.track_id == track.track_id]
        for first, last in _runs(track, is_open):
            frame = int(track.frames[first])
            why = next((why for why, part in reasons if frame in part.frames), None)
            yield Uncovered(
                track.track_id,
                frame,
                int(track.frames[last]),
                track.box(first),
                None if why == "track" else why,
            )


def shown_by_rules(tracks: Tracks) -> dict[int, list[tuple[int, int]]]:
    """Return where tracks that are to be hidden can be seen, because of zones or limits.

    Where something else hides a face (another track, a box that a person drew), it is not seen.

    Returns:
        (first, last) of each stretch of frames, by track.
    """
    hidden, visible = split(tracks)
    shown: dict[int, list[tuple[int, int]]] = {}
    for reason, part in visible:
        if reason == "track":
            continue
        is_open = ~_covered(part, hidden)
        is_open &= ~_in_zones(part, tracks)
        spans = [
            (int(part.frames[one]), int(part.frames[two])) for one, two in _runs(part, is_open)
        ]
        if spans:
            shown.setdefault(part.track_id, []).extend(spans)
    return {track_id: sorted(spans) for track_id, spans in shown.items()}


def _is_same(one: Track, other: Track) -> bool:
    """Return whether two tracks hide the same."""
    return (one.frames is other.frames and one.boxes is other.boxes) or (
        np.array_equal(one.frames, other.frames) and np.array_equal(one.boxes, other.boxes)
    )


def _covered(track: Track, others: Sequence[Track]) -> Mask:
    """Return in which rows one of the other tracks holds most of the box."""
    covered = np.zeros(len(track), bool)
    boxes = track.boxes.astype(np.float64)
    sizes = areas(boxes)
    for other in others:
        if covered.all():
            break
        if other.first > track.last or other.last < track.first:
            continue
        _, here, there = np.intersect1d(track.frames, other.frames, True, return_indices=True)
        shared = intersection_areas(boxes[here], other.boxes[there].astype(np.float64))
        covered[here] |= shared >= _COVERED_SHARE * sizes[here]
    return covered


def _in_zones(track: Track, tracks: Tracks) -> Mask:
    """Return in which rows a zone that hides holds most of the box."""
    ticks, ends = frame_ticks(tracks)
    starts, stops = ticks[track.frames], ends[track.frames]
    seconds = np.asarray(starts * float(tracks.time_base), np.float64)
    boxes = track.boxes.astype(np.float64)
    within = np.zeros(len(track), bool)
    for zone in tracks.rules.hide_zones:
        if not zone.is_rectangle:
            within |= zone.holds(boxes, seconds, tracks.size) & zone.active(
                starts, stops, tracks.time_base
            )
            continue
        shared = intersection_areas(boxes, bounds(zone.corners(seconds, tracks.size)))
        is_in = shared >= _COVERED_SHARE * areas(boxes)
        within |= is_in & zone.active(starts, stops, tracks.time_base)
    return within


def _runs(track: Track, which: Mask) -> list[tuple[int, int]]:
    """Return (first, last) row of each stretch of chosen rows in frames without a gap."""
    rows = np.flatnonzero(which)
    if not len(rows):
        return []
    breaks = np.flatnonzero((np.diff(rows) > 1) | (np.diff(track.frames[rows]) > 1))
    starts, ends = np.append(0, breaks + 1), np.append(breaks, len(rows) - 1)
    return [(int(rows[one]), int(rows[two])) for one, two in zip(starts, ends, strict=True)]
