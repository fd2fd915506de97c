"""Candidates: what may be a face, but became no track, for a person to look at; no pixels.

A detector's low-confidence detections are mostly nothing, so only those are kept that the
classifier takes for faces at even odds, over several frames, and where no track is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.box_arrays import ious
from tracker_blur.core.candidates import Candidate, UntrackedDetections
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.evidence import pooled_log_odds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.parameters import CandidateParameters, TrackingParameters
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.tracking.first_pass import RawTracks
    from tracker_blur.tracking.linking import LinkedTrack


def undecided(
    raw: RawTracks, faces: Sequence[LinkedTrack], label: str, parameters: TrackingParameters
) -> UntrackedDetections:
    """Return the detections of a window that may be faces, and are in none of these.

    They are those that started no track, and those of raw tracks that were dropped.

    Args:
        raw: What a first pass shows of a window.
        faces: What is hidden of it.
        label: Their class.
        parameters: Tuning parameters.
    """
    hidden: defaultdict[int, set[int]] = defaultdict(set)
    for face in faces:
        for part in face.parts:
            hidden[part.track_id].update(part.frames.tolist())
    rows: list[tuple[int, Box, float, float]] = []
    for track in raw.tracks.tracks:
        odds = pooled_log_odds(raw.evidence.of([track.track_id]), parameters.classification)
        if not odds >= parameters.candidates.seen_log_odds:  # nan: nothing is known
            continue
        taken = hidden[track.track_id]
        for row in np.flatnonzero(track.has(Origin.DETECTED)).tolist():
            frame = int(track.frames[row])
            if frame not in taken:
                rows.append((frame, track.box(row), float(track.scores[row]), odds))
    return UntrackedDetections.joined(
        [UntrackedDetections.of(label, rows), replace(raw.untracked, label=label)]
    )


def with_candidates(tracks: Tracks, parameters: TrackingParameters) -> Tracks:
    """Return the tracks of a video with the candidates that are worth a look.

    It takes seconds for an hour, so only those who list or keep candidates call it. Tracks that
    have theirs already stay as they are.

    Args:
        tracks: The tracks, with the untracked detections.
        parameters: Tuning parameters.
    """
    if not tracks.untracked:
        return tracks
    limits = parameters.candidates
    found: list[Candidate] = []
    labels: defaultdict[str, list[UntrackedDetections]] = defaultdict(list)
    for part in tracks.untracked:
        labels[part.label].append(part)
    for seen in map(UntrackedDetections.joined, labels.values()):
        for rows in _linked(seen.rows(~_covered(seen, tracks, limits)), tracks, limits):
            odds = pooled_log_odds(rows.log_odds.tolist(), parameters.classification)
            if len(rows) >= limits.min_detections and odds >= limits.min_log_odds:
                found.append(_candidate(rows, odds, limits))
    found.sort(key=lambda candidate: -candidate.log_odds)
    seconds = float(tracks.seconds[-1] - tracks.seconds[0]) if tracks.frame_count else 0.0
    kept = found[: round(limits.most_a_minute * max(1.0, seconds / 60))]
    kept.sort(key=lambda candidate: (candidate.first, candidate.last))
    return replace(tracks, untracked=(), candidates=tuple(kept))


def _covered(
    seen: UntrackedDetections, tracks: Tracks, limits: CandidateParameters
) -> npt.NDArray[np.bool_]:
    """Return which detections lie where a track has a box, shape (n,)."""
    covered = np.zeros(len(seen), bool)
    boxes = seen.boxes.astype(np.float64)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    for track in tracks.tracks:
        rows = np.searchsorted(track.frames, seen.frames).clip(max=len(track) - 1)
        here = np.flatnonzero(track.frames[rows] == seen.frames)
        places = track.boxes[rows[here]].astype(np.float64)
        is_inside = (centers[here] >= places[:, :2]) & (centers[here] <= places[:, 2:])
        covered[here] |= is_inside.all(axis=1) | (ious(boxes[here], places) >= limits.covered_iou)
    return covered


def _linked(
    seen: UntrackedDetections, tracks: Tracks, limits: CandidateParameters
) -> list[UntrackedDetections]:
    """Return the detections of each place, in order, one a frame: each overlaps with the last."""
    seen = seen.rows(np.lexsort((-seen.log_odds, seen.frames)))
    seconds = tracks.seconds[seen.frames]
    scenes = np.searchsorted(np.array(tracks.cuts, np.int64), seen.frames, "right")
    places: list[list[int]] = []
    open_places: list[list[int]] = []
    for row in range(len(seen)):
        open_places = [
            place
            for place in open_places
            if seconds[row] - seconds[place[-1]] <= limits.link_seconds
            and scenes[row] == scenes[place[-1]]
        ]
        box = Box(*seen.boxes[row].tolist())
        near = [
            (box.iou(Box(*seen.boxes[place[-1]].tolist())), number)
            for number, place in enumerate(open_places)
        ]
        overlap, number = max(near, default=(0.0, 0))
        if overlap >= limits.link_iou:
            if seen.frames[row] > seen.frames[open_places[number][-1]]:
                open_places[number].append(row)
        else:
            places.append([row])
            open_places.append(places[-1])
    return [seen.rows(np.array(place, np.intp)) for place in places]


def _candidate(
    rows: UntrackedDetections, log_odds: float, limits: CandidateParameters
) -> Candidate:
    count = min(len(rows), limits.kept_detections)
    spread = np.linspace(0, len(rows) - 1, count).round().astype(int).tolist()
    boxes = tuple((int(rows.frames[at]), Box(*rows.boxes[at].tolist())) for at in spread)
    return Candidate(boxes, float(rows.scores.max()), log_odds, rows.label)
