"""Detection in still images, where no other frame helps."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tracker_blur.core.box_arrays import are_among, suppress_overlaps
from tracker_blur.core.frame import Frame, view_size
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.evidence import needed_log_odds
from tracker_blur.tracking.plausibility import is_part, with_usual_aspect, without_containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.tracking.detector_bundle import ClassDetector

F = TypeVar("F", bound=Frame)

_PADDINGS = 0.0, 0.15, -0.1
"""Of the boxes that are classified, on each side: the mean of several crops is mistaken less."""


def detect_stills(
    frames: Iterable[F], detectors: Sequence[ClassDetector], confidence: float | None = None
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Yield each still image with what is detected in it, in pixels of the upright frame."""
    ids = itertools.count()
    for frame in frames:
        faces = tuple(
            Face(next(ids), detection.box, detection.score, Origin.DETECTED, label=detector.label)
            for detector in detectors
            for detection in detect_still(detector, frame, confidence)
        )
        yield frame, faces


def detect_still(
    detector: ClassDetector, frame: Frame, confidence: float | None = None
) -> list[Detection]:
    """Return what is detected in a still image, in pixels of the upright frame.

    The detector sees it at several scales. With a classifier, it also sees copies turned by
    quarters, and the classifier has the last word: it leaves out what is no face, and adds
    low-confidence detections that it takes for faces.

    Args:
        detector: Of one class.
        frame: The image.
        confidence: Score from which a detection counts by itself; None: the detector's own.
    """
    high = detector.confidence if confidence is None else confidence
    parameters, classifier = detector.parameters, detector.classifier
    sizes = sorted({view_size(frame.size, px) for px in parameters.still_images.detection_px})
    views = [frame.view(size) for size in sizes]
    low = high if classifier is None else min(high, detector.detector.low_confidence)
    detections = [
        one for view in views for one in scaled(detector.detector.detect(view, low), view, frame)
    ]
    small_views = [view for view in views if max(view.shape) <= parameters.still_images.turned_px]
    if detector.border_detector is not None:
        for view in small_views:
            detections += scaled(detector.border_detector.detect(view, low), view, frame)
    faces = [one for one in detections if one.score >= high]
    faces = suppress_overlaps(faces, parameters.same_face_iou)
    if classifier is not None:
        others = [one for one in detections if one.score < high]
        for view in small_views:
            for extra in detector.extra_detections:
                others += scaled(extra.detect(view), view, frame)
        others = suppress_overlaps(others, parameters.same_face_iou)
        faces = _classified(detector, classifier, high, frame, views[-1], faces, others)
    faces = with_usual_aspect(faces, frame.size, high, parameters.plausibility)
    return without_containers(faces, high, parameters.plausibility)


def scaled(detections: Sequence[Detection], view: Image, frame: Frame) -> list[Detection]:
    """Return the detections of a view in pixels of the frame."""
    ratios = frame.size[0] / view.shape[1], frame.size[1] / view.shape[0]
    return [replace(one, box=one.box.scaled(*ratios)) for one in detections]


def log_odds(
    classifier: Classifier, frame: Frame, view: Image, boxes: Sequence[Box]
) -> list[float]:
    """Return the log odds that each box, in pixels of the frame, shows the classifier's object."""
    ratios = view.shape[1] / frame.size[0], view.shape[0] / frame.size[1]
    return [
        float(np.mean(classifier.log_odds(view, [box.padded(ratio) for ratio in _PADDINGS])))
        for box in (box.scaled(*ratios) for box in boxes)
    ]


def _classified(
    detector: ClassDetector,
    classifier: Classifier,
    confidence: float,
    frame: Frame,
    view: Image,
    faces: Sequence[Detection],
    others: Sequence[Detection],
) -> list[Detection]:
    """Return the faces that may be some, and those of the others that likely are."""
    parameters = detector.parameters
    limits = parameters.classification
    known = are_among(
        [one.box for one in others], [face.box for face in faces], parameters.same_face_iou
    )
    others = [one for one, is_known in zip(others, known, strict=True) if not is_known]
    others = others[: limits.max_still_detections]
    odds = log_odds(classifier, frame, view, [one.box for one in (*faces, *others)])
    shorter_px = min(frame.size)
    # No other frame tells more, so a high score helps a large face as much as a small one. What
    # shows many pixels needs no better odds than what shows few: in 440 images, that lost a face
    # and left out no false alarm.
    limits = replace(limits, large_certain_log_odds=limits.certain_log_odds)
    few_px = limits.small_px
    kept = [
        face
        for face, its_odds in zip(faces, odds, strict=False)
        if its_odds
        >= max(
            limits.least_still_log_odds,
            needed_log_odds(face.box.size / shorter_px, few_px, face.score, confidence, limits),
        )
    ]
    kept_boxes = [face.box for face in kept]
    return kept + [
        one
        for one, its_odds in zip(others, odds[len(faces) :], strict=True)
        if its_odds >= limits.still_log_odds
        and not is_part(one.box, kept_boxes, parameters.plausibility)
    ]
