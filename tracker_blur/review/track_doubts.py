"""Doubts about a hidden track: where it may not be hidden, but should, or may be no face."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import ORIGINS, Origin, Track
from tracker_blur.review.doubt import Doubt
from tracker_blur.review.doubt_context import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.review.doubt_context import DoubtContext
    from tracker_blur.review.parameters import DoubtParameters

Rows: TypeAlias = npt.NDArray[np.intp]
"""Rows of a track."""

_TRUSTED = (ORIGINS.index(Origin.DETECTED), ORIGINS.index(Origin.DRAWN))


def track_doubts(context: DoubtContext, track: Track) -> Iterator[Doubt]:
    """Yield the doubts about one track that is hidden: where it may not be, but should."""
    if not track.hide:
        return
    limits, size = context.limits, context.tracks.size
    trusted = np.flatnonzero(np.isin(track.origins, _TRUSTED))
    if not len(trusted):
        trusted = np.arange(len(track))
    first, last = int(trusted[0]), int(trusted[-1])
    weight = _weight(context, track, trusted)
    seconds = context.time_between(int(track.frames[first]), int(track.frames[last]))
    best = float(track.scores[trusted].max())
    ends = list(_open_ends(context, track, first, last))
    middle = int(trusted[np.argmax(track.scores[trusted])])
    at = (int(track.frames[middle]), track.last)
    if best < limits.face_score:
        risk = 0.05 + 0.5 * weight
        yield Doubt.at("low_confidence", at, track.track_id, track.box(middle), risk, size)
        ends = []
    elif seconds < limits.short_seconds and ends and not track.is_drawn:
        risk = 0.1 + 0.5 * weight
        yield Doubt.at("short_track", at, track.track_id, track.box(middle), risk, size)
        ends = []
    for step in ends:
        row = len(track) - 1 if step > 0 else 0
        beyond = int(track.frames[row]) + step  # within the video: its ends are no open ones
        risk = weight * _abruptness(track, trusted, step, limits)
        yield Doubt.at("track_end", (beyond, beyond), track.track_id, track.box(row), risk, size)
    yield from _holes(context, track, weight)


def _weight(context: DoubtContext, track: Track, trusted: Rows) -> float:
    """Return how much a face matters, 0 to 1: large, long and high-confidence ones do most."""
    limits = context.limits
    sizes = np.sqrt(np.prod(track.boxes[trusted, 2:] - track.boxes[trusted, :2], axis=1))
    share = float(np.median(sizes)) / min(context.tracks.size)
    large = min(1.0, share / limits.large_share)
    seconds = context.time_between(int(track.frames[trusted[0]]), int(track.frames[trusted[-1]]))
    long = 0.5 + 0.5 * min(1.0, seconds / limits.long_seconds)
    # Of a face that turns, most detections score low; the best ones say whether it is one.
    return large * long * _confidence(float(np.quantile(track.scores[trusted], 0.9)), limits)


def _confidence(score: float, limits: DoubtParameters) -> float:
    """Return where a score lies between a low and a high one, 0 to 1; at least 0.1."""
    share = (score - limits.low_score) / (limits.high_score - limits.low_score)
    return min(1.0, max(0.1, share))


def _open_ends(context: DoubtContext, track: Track, first: int, last: int) -> Iterator[int]:
    """Yield the ends of a track that nothing explains: -1 for the first one, 1 for the last.

    Args:
        context: the video.
        track: the track.
        first: the row of its first detection.
        last: that of its last one.
    """
    limits = context.limits
    for row, end, step in ((first, 0, -1), (last, len(track) - 1, 1)):
        frame = int(track.frames[end])
        shot = context.shot(frame)
        edge = shot.start if step < 0 else shot.stop - 1
        if context.time_between(frame, edge) <= limits.cut_seconds:
            continue
        boxes = [track.box(row), track.box(end)]
        if any(context.is_at_border(box) for box in boxes):
            continue
        if context.goes_on(track, frame, boxes[1], step):
            continue
        yield step


def _abruptness(track: Track, trusted: Rows, step: int, limits: DoubtParameters) -> float:
    """Return how sudden a track ends, 0 to 1: by the confidence of its last detections."""
    ends = trusted[-3:] if step > 0 else trusted[:3]
    return 0.5 + 0.5 * _confidence(float(track.scores[ends].mean()), limits)


def _holes(context: DoubtContext, track: Track, weight: float) -> Iterator[Doubt]:
    """Yield gaps without boxes within a scene, and long ones that were filled."""
    limits, size = context.limits, context.tracks.size
    for row in np.flatnonzero(np.diff(track.frames) > 1).tolist():
        before, after = int(track.frames[row]), int(track.frames[row + 1])
        seconds = context.time_between(before, after)
        if after not in context.shot(before) or seconds < limits.gap_seconds:
            continue
        box = track.box(row).union(track.box(row + 1))
        if context.is_at_border(track.box(row)) and context.is_at_border(track.box(row + 1)):
            continue
        risk = weight * (0.3 + 0.5 * min(1.0, seconds))
        yield Doubt.at("gap", (before + 1, after - 1), track.track_id, box, risk, size)
    between = track.has(Origin.BETWEEN) | track.has(Origin.HELD)
    for first, last in runs(between):
        if first == 0 or last == len(track) - 1:
            continue
        frames = int(track.frames[first]), int(track.frames[last])
        seconds = context.time_between(*frames)
        one, other = track.box(first - 1), track.box(last + 1)
        way = np.hypot(*np.subtract(one.center, other.center)) / max(1.0, one.size)
        grown = max(one.size, other.size) / max(1.0, min(one.size, other.size))
        if seconds < limits.join_seconds or (way < 0.5 and grown < 1.3):
            continue
        risk = weight * min(1.0, 0.15 + 0.2 * seconds + 0.1 * way)
        middle = (frames[0] + frames[1]) // 2
        box = one.union(other)
        yield Doubt.at("unsure_join", (middle, frames[1]), track.track_id, box, risk, size)
