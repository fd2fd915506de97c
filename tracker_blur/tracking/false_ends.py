"""Cuts off beginnings and ends of raw tracks that show no face, though the rest does.

A tracker that followed an arm may take over the head next to it from another track. What it showed
before is no face: that was where the other track was. Of a head that turned to the camera, or that
was surrounded by too large a box, there is no such track.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.tracking.evidence import needed_log_odds, pooled_log_odds, representative_score
from tracker_blur.tracking.plausibility import face_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tracker_blur.core.parameters import ClassificationParameters
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.evidence import Evidence


_SAME_FACE_IOU = 0.3


def without_false_ends(
    track: Track,
    faces: Sequence[Track],
    frame_size: tuple[int, int],
    evidence: Evidence,
    confidence: float,
    parameters: ClassificationParameters,
) -> Track:
    """Return a raw track without a false beginning and a false end.

    Args:
        track: One of the raw tracks.
        faces: The raw tracks that are certain to show faces.
        frame_size: Width and height of the frames in pixels.
        evidence: What the classifier says about raw tracks.
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
    """
    seen = _Seen(face_sizes(track.boxes), track.scores, *evidence.in_rows(track))
    row, kept = np.arange(len(track)), np.ones(len(track), bool)
    for each, order in ((seen, row), (seen.reversed(), row[::-1])):
        count = _false_rows(each, min(frame_size), confidence, parameters)
        if count and _was_elsewhere(track, order[: count + 1], faces):
            kept[order[:count]] = False
    return track.rows(kept) or track


@dataclass(frozen=True, slots=True)
class _Seen:
    """A raw track, in the order of time or reversed.

    Attributes:
        sizes: Of the boxes in pixels, shape (n,).
        scores: Of the detections, shape (n,).
        rows: Which of them the classifier has seen, shape (m,).
        log_odds: What it says, shape (m,).
    """

    sizes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.floating]
    rows: npt.NDArray[np.intp]
    log_odds: npt.NDArray[np.float64]

    def reversed(self) -> _Seen:
        """Return it from its end."""
        rows = len(self.sizes) - 1 - self.rows[::-1]
        return _Seen(self.sizes[::-1], self.scores[::-1], rows, self.log_odds[::-1])


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
    needed = needed_log_odds(size / shorter_side, score, confidence, parameters)
    if size < limit or pooled_log_odds(before, parameters) >= needed:
        return 0
    return int(np.flatnonzero(seen.sizes[: seen.rows[count]] >= limit)[-1]) + 1


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
