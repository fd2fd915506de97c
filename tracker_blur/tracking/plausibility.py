"""What size and place say about detections: what is no face, whatever it looks like; no pixels.

A face that fills the frame is seen well, so it must be detected well. A face that contains a
higher-scoring, much smaller one is the body that the other one belongs to, or the background.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.scene_cuts import Scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.parameters import PlausibilityParameters
    from tracker_blur.core.tracks import Boxes, Track, Tracks


def unconditional_score(confidence: float, parameters: PlausibilityParameters) -> float:
    """Return the score from which a detection is a face whatever its size and place.

    Args:
        confidence: Score from which a detection of usual size and place is one.
        parameters: Tuning parameters.
    """
    return confidence + parameters.unconditional_score_share * (1 - confidence)


def needed_scores(
    boxes: Boxes,
    frame_size: tuple[int, int],
    confidence: float,
    parameters: PlausibilityParameters,
) -> npt.NDArray[np.float64]:
    """Return the scores from which these detections are faces, shape (n,).

    Args:
        boxes: In pixels of the frame, shape (n, 4).
        frame_size: (width, height) of the frame.
        confidence: Score from which a detection of usual size and aspect is a face.
        parameters: Tuning parameters.
    """
    unusual = are_unusual(boxes, frame_size, parameters)
    return np.where(unusual, _unusual_score(confidence, parameters), confidence)


def _unusual_score(confidence: float, parameters: PlausibilityParameters) -> float:
    return confidence + parameters.unusual_score_share * (1 - confidence)


def are_unusual(
    boxes: Boxes, frame_size: tuple[int, int], parameters: PlausibilityParameters
) -> npt.NDArray[np.bool_]:
    """Return which boxes, in pixels of the frame, fill it, or have no usual aspect."""
    fill_frame = face_sizes(boxes) > parameters.frame_filling_share * min(frame_size)
    return np.asarray(fill_frame | ~_have_usual_aspect(boxes, frame_size, parameters), np.bool_)


def by_confidence(
    detections: Sequence[Detection],
    frame_size: tuple[int, int],
    confidence: float,
    parameters: PlausibilityParameters,
) -> tuple[list[Detection], list[Detection]]:
    """Return the detections that score enough for their size and aspect, and the others.

    Args:
        detections: Boxes in pixels of the frame.
        frame_size: (width, height) of the frame.
        confidence: Score from which a detection of usual size and aspect is a face.
        parameters: Tuning parameters.
    """
    needed = needed_scores(box_array(detections), frame_size, confidence, parameters)
    high: list[Detection] = []
    low: list[Detection] = []
    for detection, score in zip(detections, needed.tolist(), strict=True):
        (high if detection.score >= score else low).append(detection)
    return high, low


def of_usual_shape(
    detections: Sequence[Detection],
    frame_size: tuple[int, int],
    parameters: PlausibilityParameters,
) -> list[Detection]:
    """Return the detections that do not fill the frame, and have a usual aspect."""
    unusual = are_unusual(box_array(detections), frame_size, parameters).tolist()
    return [one for one, is_odd in zip(detections, unusual, strict=True) if not is_odd]


def with_usual_aspect(
    detections: Sequence[Detection],
    frame_size: tuple[int, int],
    confidence: float,
    parameters: PlausibilityParameters,
) -> list[Detection]:
    """Return the detections with a usual aspect, and those that score enough for any.

    Args:
        detections: Boxes in pixels of the frame.
        frame_size: (width, height) of the frame.
        confidence: Score from which a detection of usual aspect is a face.
        parameters: Tuning parameters.
    """
    usual = _have_usual_aspect(box_array(detections), frame_size, parameters).tolist()
    least = _unusual_score(confidence, parameters)
    return [
        one
        for one, is_usual in zip(detections, usual, strict=True)
        if is_usual or one.score >= least
    ]


def _have_usual_aspect(
    boxes: Boxes, frame_size: tuple[int, int], parameters: PlausibilityParameters
) -> npt.NDArray[np.bool_]:
    """Return which boxes have a usual aspect. One that is cut off may have any."""
    narrowest, widest = parameters.usual_aspects
    width, height = (boxes[:, 2:].astype(np.float64) - boxes[:, :2]).T
    is_cut_off = (boxes[:, :2] <= 0).any(1) | (boxes[:, 2:] >= frame_size).any(1)
    return np.asarray(
        is_cut_off | ((width >= narrowest * height) & (width <= widest * height)), np.bool_
    )


def box_array(detections: Sequence[Detection]) -> Boxes:
    """Return the boxes of detections, shape (n, 4)."""
    rows = [detection.box.as_tuple() for detection in detections]
    return np.array(rows, np.float32).reshape(-1, 4)


def is_supported(
    reliable: npt.NDArray[np.bool_], parameters: PlausibilityParameters
) -> npt.NDArray[np.bool_]:
    """Return which detections of a large face are among enough reliable ones.

    Args:
        reliable: Which of the track's detections are reliable, in order, shape (n,).
        parameters: Tuning parameters.
    """
    length = min(len(reliable), parameters.large_window_detections)
    if not length:
        return reliable
    windows = np.lib.stride_tricks.sliding_window_view(reliable, length)
    good = np.flatnonzero(windows.mean(1) >= parameters.large_reliable_share)
    supported = np.zeros(len(reliable), bool)
    supported[(good[:, None] + np.arange(length)).ravel()] = True
    return supported


def cut_off(boxes: Boxes, frame_size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which boxes reach the left, right or upper border: they may hold half a face.

    The lower border does not count: it cuts off bodies, not faces.
    """
    left, top, right, _ = boxes.T
    return np.asarray((left <= 0) | (top <= 0) | (right >= frame_size[0]), np.bool_)


def without_containers(
    detections: Sequence[Detection], confidence: float, parameters: PlausibilityParameters
) -> list[Detection]:
    """Return the detections of one frame without those around higher-scoring, much smaller ones.

    Args:
        detections: All detections of the frame.
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
    """
    if len(detections) < 2:
        return list(detections)
    boxes = box_array(detections)
    scores = np.array([detection.score for detection in detections])
    contains = _contain(boxes[:, None], boxes[None], parameters)
    is_higher = scores[None] >= parameters.higher_score_ratio * scores[:, None]
    is_higher &= scores[None] > scores[:, None]  # 0 is not more than 0
    dropped = (contains & is_higher).any(1) & (scores < unconditional_score(confidence, parameters))
    return [one for one, is_none in zip(detections, dropped, strict=True) if not is_none]


def is_part(box: Box, faces: Sequence[Box], parameters: PlausibilityParameters) -> bool:
    """Return whether a box is a part of one of these faces, such as its chin.

    A much smaller box is none: it may be a face, and the larger one the body around it.

    Args:
        box: In pixels.
        faces: In the same pixels; none of them in question.
        parameters: Tuning parameters.
    """
    rows = [face.as_tuple() for face in faces]
    wholes = np.array(rows, np.float32).reshape(-1, 4)
    return bool(_is_within(np.array([box.as_tuple()], np.float32), wholes, parameters).any())


def _is_within(
    inner: Boxes, outer: Boxes, parameters: PlausibilityParameters
) -> npt.NDArray[np.bool_]:
    """Return which boxes lie mostly in somewhat larger ones, pair by pair."""
    areas, whole_areas = _areas(inner), _areas(outer)
    return np.asarray(
        (_shared_areas(outer, inner) >= parameters.part_share * areas)
        & (whole_areas > areas)
        & (whole_areas < parameters.part_size_ratio**2 * areas),
        np.bool_,
    )


def _contain(
    outer: Boxes, inner: Boxes, parameters: PlausibilityParameters
) -> npt.NDArray[np.bool_]:
    """Return which boxes contain much smaller ones, pair by pair; the last axis has the edges."""
    areas = _areas(inner)
    is_much_smaller = _areas(outer) >= parameters.container_size_ratio**2 * areas
    is_inside = _shared_areas(outer, inner) >= parameters.contained_share * areas
    return np.asarray(is_much_smaller & is_inside, np.bool_)


def _shared_areas(a: Boxes, b: Boxes) -> npt.NDArray[np.float64]:
    low = np.maximum(a[..., :2], b[..., :2])
    return _areas(np.concatenate([low, np.minimum(a[..., 2:], b[..., 2:])], -1))


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
        if one.score >= parameters.higher_score_ratio * outer.score
        and outer.sizes[1] >= parameters.container_size_ratio * one.sizes[0]
        and _meet(outer.extent, one.extent)
    ]
    share = _time_share(outer.track, inner, lambda mine, other: _contain(mine, other, parameters))
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
        and one.score >= parameters.higher_score_ratio * part.score
        and one.sizes[1] > part.sizes[0]
        and _meet(part.extent, one.extent)
    ]
    return (
        _time_share(detected, wholes, lambda mine, other: _is_within(mine, other, parameters)) == 1
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


def face_sizes(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Return the face sizes of boxes, shape (n, 4): the square roots of their areas."""
    return np.asarray(np.sqrt(_areas(boxes)), np.float64)


def _areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    sides = np.maximum(0.0, boxes[..., 2:].astype(np.float64) - boxes[..., :2])
    return np.asarray(sides.prod(-1), np.float64)
