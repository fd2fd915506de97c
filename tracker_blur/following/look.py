"""Looks for faces in a single picture, at several scales: there is no other frame to help."""

from __future__ import annotations

from tracker_blur.boxes import Detection, suppress_overlaps
from tracker_blur.detectors import Detector
from tracker_blur.frames import Frame, view_size

_LOOKS_PX = (320, 640, 1280, 2560)  # longest sides; a detector sees a narrow range of face sizes
_SAME_FACE_IOU = 0.4


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
