"""Leaves out raw tracks that size, place and the other tracks of their scene say are no face."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.plausibility import (
    are_within,
    contain,
    cut_off,
    face_sizes,
    is_higher_score,
    unconditional_score,
)
from tracker_blur.tracking.scene_cuts import Scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from tracker_blur.core.parameters import PlausibilityParameters
    from tracker_blur.core.tracks import Boxes, Track, Tracks


def plausible_tracks(
    tracks: Tracks,
    confidence: float,
    parameters: PlausibilityParameters,
    likely: Container[int] = (),
    kept: Container[int] = (),
    high_confidence_size: float = 0.0,
) -> tuple[Track, ...]:
    """Return the raw tracks that may be faces, given the others.

    Left out are those that, most of the time, contain a higher-scoring and much smaller one, those
    that are always a part of a higher-scoring and somewhat larger one, and low-confidence ones that
    are much larger than the largest high-confidence one of their scene, away from the border: where
    a small face is detected well, a large one is detected better, unless it is cut off. A track
    with a detection that is a face whatever its size is never left out. What the classifier takes
    for a face may contain a higher-scoring one: an ear may be detected better than the bent head
    around it.

    Args:
        tracks: Raw tracks.
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
        likely: Identifiers of the tracks that the classifier takes for faces.
        kept: Identifiers of tracks that are never left out.
        high_confidence_size: The size of the largest high-confidence face, in pixels, of what the
            tracks do not show of the scene.
    """
    scenes: defaultdict[int, list[_Summary]] = defaultdict(list)
    for one in _summaries(tracks, confidence, parameters):
        scenes[one.scene].append(one)
    left_out: set[int] = set()
    for scene in scenes.values():
        largest = max(high_confidence_size, _high_confidence_size(scene)) or math.inf
        for one in scene:
            is_oversized = (
                one.is_low_confidence
                and not one.is_cut_off
                and one.size > parameters.oversized_ratio * largest
            )
            is_container = one.track.track_id not in likely and _is_container(
                one, scene, parameters
            )
            is_left_out = is_oversized or is_container or _is_part(one, scene, parameters)
            is_kept = one.has_unconditional_detection or one.track.track_id in kept
            if is_left_out and not is_kept:
                left_out.add(one.track.track_id)
    return tuple(track for track in tracks.tracks if track.track_id not in left_out)


def largest_high_confidence_size(
    tracks: Tracks, confidence: float, parameters: PlausibilityParameters
) -> float:
    """Return the size of the largest high-confidence face, in pixels; 0: there is none."""
    return _high_confidence_size(_summaries(tracks, confidence, parameters))


def _high_confidence_size(summaries: Sequence[_Summary]) -> float:
    return max((one.size for one in summaries if one.is_high_confidence), default=0.0)


@dataclass(frozen=True)
class _Summary:
    """What a track is compared by.

    Attributes:
        track: The track.
        scene: First frame of its scene.
        score: Mean score of its detections.
        size: Median face size of its detections, in pixels.
        sizes: The smallest and the largest face size in any row.
        extent: Left, top, right and bottom of all its boxes together.
        has_unconditional_detection: Whether any of them is a face whatever its size.
        is_low_confidence: Whether that mean is below the confidence.
        is_high_confidence: Whether it is well above it, over several detections.
        is_cut_off: Whether most of its boxes reach the border of the frame.
    """

    track: Track
    scene: int
    score: float
    size: float
    sizes: tuple[float, float]
    extent: tuple[float, float, float, float]
    has_unconditional_detection: bool
    is_low_confidence: bool
    is_high_confidence: bool
    is_cut_off: bool


def _summaries(
    tracks: Tracks, confidence: float, parameters: PlausibilityParameters
) -> list[_Summary]:
    scenes = Scenes(tracks.cuts, tracks.frame_count)
    summaries = []
    for track in tracks.tracks:
        detected = track.rows(track.has(Origin.DETECTED)) or track
        score = float(detected.scores.mean())
        sizes = face_sizes(track.boxes)
        summaries.append(
            _Summary(
                track,
                scenes.of(track.first)[0],
                score,
                float(np.median(face_sizes(detected.boxes))),
                (float(sizes.min()), float(sizes.max())),
                _extent(track.boxes),
                bool(detected.scores.max() >= unconditional_score(confidence, parameters)),
                score < confidence,
                score >= parameters.high_confidence_ratio * confidence
                and len(detected) >= parameters.high_confidence_detections,
                float(cut_off(detected.boxes, tracks.size).mean()) > 0.5,
            )
        )
    return summaries


def _is_container(
    outer: _Summary, scene: Sequence[_Summary], parameters: PlausibilityParameters
) -> bool:
    """Return whether a track, most of the time, contains much smaller, higher-scoring ones."""
    inner = [
        one
        for one in scene
        if is_higher_score(one.score, outer.score, parameters.higher_score_ratio)
        and outer.sizes[1] >= parameters.container_size_ratio * one.sizes[0]
        and _meet(outer.extent, one.extent)
    ]
    share = _time_share(outer.track, inner, lambda mine, other: contain(mine, other, parameters))
    return share >= parameters.container_time_share


def _is_part(part: _Summary, scene: Sequence[_Summary], parameters: PlausibilityParameters) -> bool:
    """Return whether all detections of a track are parts of higher-scoring, larger ones.

    One that is none may be a face that was behind another one for a while.
    """
    detected = part.track.rows(part.track.has(Origin.DETECTED)) or part.track
    wholes = [
        one
        for one in scene
        if one.is_high_confidence
        and is_higher_score(one.score, part.score, parameters.higher_score_ratio)
        and one.sizes[1] > part.sizes[0]
        and _meet(part.extent, one.extent)
    ]
    return (
        _time_share(detected, wholes, lambda mine, other: are_within(mine, other, parameters)) == 1
    )


def _extent(boxes: Boxes) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = boxes[:, :2].min(0).tolist(), boxes[:, 2:].max(0).tolist()
    return left, top, right, bottom


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    """Return whether two tracks' boxes may overlap: of a crowd, most pairs are far apart."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _time_share(
    track: Track,
    others: Sequence[_Summary],
    holds: Callable[[Boxes, Boxes], npt.NDArray[np.bool_]],
) -> float:
    """Return for what share of a track's frames something holds of its box and another's."""
    rows_held = np.zeros(len(track), bool)
    for other in others:
        if other.track.first <= track.last and other.track.last >= track.first:
            _, rows, other_rows = np.intersect1d(
                track.frames, other.track.frames, assume_unique=True, return_indices=True
            )
            rows_held[rows] |= holds(track.boxes[rows], other.track.boxes[other_rows])
    return float(rows_held.mean())
