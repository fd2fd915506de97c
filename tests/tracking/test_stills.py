"""Still images are searched at several scales."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.tracking.fakes import (
    PARAMETERS,
    SQUARE,
    BrightDetector,
    LosingTracker,
    ScriptedDetector,
    detection,
    redetector,
    wall,
)
from tracker_blur.images.frame import ImageFrame
from tracker_blur.tracking.detector_bundle import ClassDetector
from tracker_blur.tracking.stills import detect_still, detect_stills

if TYPE_CHECKING:
    from tracker_blur.core.box import Box
    from tracker_blur.detectors import Detector


def still(square: Box | None, index: int = 0, scale: int = 1) -> ImageFrame:
    """Return a still image of the square, enlarged so many times."""
    enlarged = cv2.resize(wall(square), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    blue, green, red = (np.asarray(plane, np.uint8) for plane in cv2.split(enlarged))
    return ImageFrame((red, green, blue), index=index, pts=index, time_base=Fraction(1, 25))


def class_detector(label: str, detector: Detector | None = None) -> ClassDetector:
    detector = detector or BrightDetector()
    return ClassDetector(label, detector, redetector, 0.5, LosingTracker, PARAMETERS)


def test_a_face_detected_at_several_scales_is_one_in_pixels_of_the_image() -> None:
    detector = BrightDetector()
    (found,) = detect_still(class_detector("face", detector), still(SQUARE, scale=4))
    assert {shape[1] for shape in detector.shapes} == {320, 640, 1280}
    assert found.box.as_tuple() == pytest.approx(SQUARE.scaled(4, 4).as_tuple(), abs=4)


def test_each_still_image_is_searched_for_each_class_and_identifiers_are_unique() -> None:
    frames = [still(SQUARE), still(None, 1), still(SQUARE.moved(50, 0), 2)]
    seen = list(detect_stills(frames, [class_detector("face"), class_detector("plate")]))
    assert [frame.index for frame, _ in seen] == [0, 1, 2]
    assert [[face.label for face in faces] for _, faces in seen] == [
        ["face", "plate"],
        [],
        ["face", "plate"],
    ]
    assert [face.track_id for _, faces in seen for face in faces] == [0, 1, 2, 3]


def test_a_body_that_contains_a_surer_face_is_not_hidden() -> None:
    face, body = detection(SQUARE, 0.9), detection(SQUARE.padded(1.0), 0.6)
    detector = class_detector("face", ScriptedDetector([[body, face]]))
    (found,) = detect_still(detector, still(None))
    assert found.box == SQUARE
