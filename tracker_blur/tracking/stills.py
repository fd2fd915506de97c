"""Detection in still images, where no other frame helps."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from tracker_blur.core.box import suppress_overlaps
from tracker_blur.core.frame import Frame, view_size
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.plausibility import without_containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.detectors import Detector
    from tracker_blur.tracking.detector_bundle import ClassDetector

F = TypeVar("F", bound=Frame)


def detect_stills(
    frames: Iterable[F], detectors: Sequence[ClassDetector]
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Yield each still image with what is detected in it, in pixels of the upright frame."""
    ids = itertools.count()
    for frame in frames:
        faces = tuple(
            Face(next(ids), detection.box, detection.score, Origin.DETECTED, label=detector.label)
            for detector in detectors
            for detection in detect_multiscale(
                detector.detector, frame, detector.confidence, detector.parameters
            )
        )
        yield frame, faces


def detect_multiscale(
    detector: Detector, frame: Frame, confidence: float, parameters: TrackingParameters
) -> list[Detection]:
    """Return the detections at several scales, in pixels of the upright frame."""
    width, height = frame.size
    sizes = {view_size(frame.size, px) for px in parameters.still_images.detection_px}
    detections = [
        replace(detection, box=detection.box.scaled(width / size[0], height / size[1]))
        for size in sorted(sizes)
        for detection in detector.detect(frame.view(size), confidence)
    ]
    faces = suppress_overlaps(detections, parameters.same_face_iou)
    return without_containers(faces, confidence, parameters.plausibility)
