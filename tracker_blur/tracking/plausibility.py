"""What size and place say about detections: what is no face, whatever it looks like; no pixels.

A face that fills the frame is seen well, so it must be detected well. A face that contains a
higher-scoring, much smaller one is the body that the other one belongs to, or the background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.parameters import PlausibilityParameters
    from tracker_blur.core.tracks import Boxes

    Scores = npt.NDArray[np.float64]


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
    contains = contain(boxes[:, None], boxes[None], parameters)
    is_higher = is_higher_score(scores[None], scores[:, None], parameters.higher_score_ratio)
    dropped = (contains & is_higher).any(1) & (scores < unconditional_score(confidence, parameters))
    return [one for one, is_none in zip(detections, dropped, strict=True) if not is_none]


@overload
def is_higher_score(score: float, than: float, ratio: float) -> bool: ...
@overload
def is_higher_score(score: Scores, than: Scores, ratio: float) -> npt.NDArray[np.bool_]: ...
def is_higher_score(
    score: float | Scores, than: float | Scores, ratio: float
) -> bool | npt.NDArray[np.bool_]:
    """Return whether one of two scores is clearly more: by a ratio, but 0 is not more than 0."""
    return (score > than) & (score >= ratio * than)


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
    return bool(are_within(np.array([box.as_tuple()], np.float32), wholes, parameters).any())


def are_within(
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


def contain(
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


def face_sizes(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Return the face sizes of boxes, shape (n, 4): the square roots of their areas."""
    return np.asarray(np.sqrt(_areas(boxes)), np.float64)


def _areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    sides = np.maximum(0.0, boxes[..., 2:].astype(np.float64) - boxes[..., :2])
    return np.asarray(sides.prod(-1), np.float64)
