"""Mends beginnings and ends of raw tracks that show no face, though the rest does.

A tracker that followed an arm may take over the head next to it from another track. What it showed
before is no face: that was where the other track was. Of a head that turned to the camera there is
no such track.

And what is tracked back from a face that comes from behind someone, or forwards, may be half a body
in low-confidence detections. A face does not change to half its size when it is first seen well, so
their boxes become smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.evidence import needed_log_odds, pooled_log_odds, representative_score
from tracker_blur.tracking.plausibility import face_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tracker_blur.core.parameters import ClassificationParameters
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.evidence import Evidence


_SAME_FACE_IOU = 0.3
_FACE_ROWS = 6
"""How many rows, from the first that the classifier takes for a face on, show its size."""


def without_false_ends(
    track: Track,
    faces: Sequence[Track],
    frame_size: tuple[int, int],
    evidence: Evidence,
    confidence: float,
    parameters: ClassificationParameters,
) -> Track:
    """Return a raw track without a false beginning and a false end, and without swelling there.

    Args:
        track: One of the raw tracks.
        faces: The raw tracks that are certain to show faces.
        frame_size: Width and height of the frames in pixels.
        evidence: What the classifier says about raw tracks.
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
    """
    is_held = track.has(Origin.HELD)
    seen = _Seen(face_sizes(track.boxes), track.scores, is_held, *evidence.in_rows(track))
    row, kept = np.arange(len(track)), np.ones(len(track), bool)
    for each, order in ((seen, row), (seen.reversed(), row[::-1])):
        count = _false_rows(each, min(frame_size), confidence, parameters)
        if count and _was_elsewhere(track, order[: count + 1], faces):
            kept[order[:count]] = False
    track = _without_swelling(track, (seen, seen.reversed()), parameters)
    return track.rows(kept) or track


@dataclass(frozen=True, slots=True)
class _Seen:
    """A raw track, in the order of time or reversed.

    Attributes:
        sizes: Of the boxes in pixels, shape (n,).
        scores: Of the detections, shape (n,).
        is_held: Which boxes were only kept, shape (n,): they grow with time.
        rows: Which of them the classifier has seen, shape (m,).
        log_odds: What it says, shape (m,).
        view_px: Their sizes in the views in which it did, shape (m,).
    """

    sizes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.floating]
    is_held: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.intp]
    log_odds: npt.NDArray[np.float64]
    view_px: npt.NDArray[np.float64]

    def reversed(self) -> _Seen:
        """Return it from its end."""
        rows = len(self.sizes) - 1 - self.rows[::-1]
        return _Seen(
            self.sizes[::-1],
            self.scores[::-1],
            self.is_held[::-1],
            rows,
            self.log_odds[::-1],
            self.view_px[::-1],
        )


def _false_rows(
    seen: _Seen, shorter_side: int, confidence: float, parameters: ClassificationParameters
) -> int:
    """Return how many rows at the beginning show no face."""
    least = parameters.pooled_crops
    count = int(np.argmax(seen.log_odds >= parameters.start_log_odds)) if len(seen.rows) else 0
    before, after = seen.log_odds[:count].tolist(), seen.log_odds[count:].tolist()
    if min(len(before), len(after)) < least:
        return 0
    if pooled_log_odds(after, parameters) < parameters.settled_log_odds:
        return 0
    rows = seen.rows[:count]
    size = float(np.median(seen.sizes[rows]))
    limit = parameters.false_end_ratio * np.median(seen.sizes[seen.rows[count : count + least]])
    score = representative_score(seen.scores[rows], parameters)
    view_px = min(size, float(np.median(seen.view_px[:count])))  # enlarged views show no more
    needed = needed_log_odds(size / shorter_side, view_px, score, confidence, parameters)
    if size < limit or pooled_log_odds(before, parameters) >= needed:
        return 0
    return int(np.flatnonzero(seen.sizes[: seen.rows[count]] >= limit)[-1]) + 1


def _without_swelling(
    track: Track, seen: Sequence[_Seen], parameters: ClassificationParameters
) -> Track:
    """Return a track whose boxes are not much larger than the face before and after it is seen.

    What scores clearly less than the face, and is much larger, shows half a body as well, unless
    the classifier takes any of it for a face. It becomes smaller, and stays where it is nearest to
    the face, which may be there.

    Args:
        track: A raw track.
        seen: The same, in the order of time and reversed.
        parameters: Tuning parameters.
    """
    boxes = None
    for each, order in zip(seen, (slice(None), slice(None, None, -1)), strict=True):
        face, rows = _swollen_rows(each, parameters)
        if not len(rows):
            continue
        boxes = track.boxes.copy() if boxes is None else boxes
        view = boxes[order]
        wholes, shown = view[rows], np.median(view[face], axis=0)
        half = np.minimum(
            (wholes[:, 2:] - wholes[:, :2]) / 2,
            parameters.swollen_size_ratio * (shown[2:] - shown[:2]) / 2,
        )
        center = np.clip((shown[:2] + shown[2:]) / 2, wholes[:, :2] + half, wholes[:, 2:] - half)
        view[rows] = np.concatenate((center - half, center + half), 1)
    return track if boxes is None else replace(track, boxes=boxes)


def _swollen_rows(
    seen: _Seen, parameters: ClassificationParameters
) -> tuple[slice, npt.NDArray[np.intp]]:
    """Return the rows of the face, and those before it of something much larger."""
    is_face = seen.log_odds >= parameters.start_log_odds
    if not is_face.any():
        return slice(0), np.zeros(0, np.intp)
    first = int(seen.rows[np.argmax(is_face)])
    face = slice(first, first + _FACE_ROWS)
    is_large = seen.sizes[:first] >= parameters.swollen_ratio * np.median(seen.sizes[face])
    rows = np.flatnonzero(is_large & ~seen.is_held[:first])
    highest = parameters.swollen_score_share * np.median(seen.scores[face])
    may_be_face = np.isin(seen.rows[seen.log_odds > parameters.swollen_face_log_odds], rows).any()
    if len(rows) and (may_be_face or np.median(seen.scores[rows]) > highest):
        rows = rows[:0]
    return face, rows


def _was_elsewhere(track: Track, rows: npt.NDArray[np.intp], faces: Sequence[Track]) -> bool:
    """Return whether another track showed the face that a track shows in the last of these rows.

    It did so in most of their frames, and close to the last of them.
    """
    frames, face_box = track.frames[rows], track.box(int(rows[-1]))
    for other in faces:
        if other.track_id == track.track_id or np.isin(frames, other.frames).mean() < 0.5:
            continue
        nearest = int(np.argmin(np.abs(other.frames - frames[-1])))
        if other.box(nearest).iou(face_box) >= _SAME_FACE_IOU:
            return True
    return False
