"""Looks for faces in single pictures, at several scales: there is no other frame to help."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from tracker_blur.core.box import Detection, suppress_overlaps
from tracker_blur.core.frame import Frame, view_size
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.detectors import Detector
from tracker_blur.tracking.detector_bundle import Eye

_LOOKS_PX = (320, 640, 1280, 2560)  # longest sides; a detector sees a narrow range of face sizes
_SAME_FACE_IOU = 0.4

F = TypeVar("F", bound=Frame)


def look_at_each(frames: Iterable[F], eyes: Sequence[Eye]) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Give each picture with what is found in it, in pixels of the full-size upright frame."""
    ids = itertools.count()
    for frame in frames:
        yield (
            frame,
            tuple(
                Face(next(ids), find.box, find.score, Origin.DETECTED, label=eye.label)
                for eye in eyes
                for find in look_closely(eye.detector, frame, eye.confidence)
            ),
        )


def look_closely(detector: Detector, frame: Frame, confidence: float) -> list[Detection]:
    """Return the faces found at any scale, boxes in pixels of the full-size upright frame."""
    width, height = frame.size
    sizes = {view_size(frame.size, longest) for longest in _LOOKS_PX}
    found = [
        Detection(find.box.scaled(width / size[0], height / size[1]), find.score, find.label)
        for size in sorted(sizes)
        for find in detector.detect(frame.view(size), confidence)
    ]
    return suppress_overlaps(found, _SAME_FACE_IOU)
