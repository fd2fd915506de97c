"""Still images are searched at several scales."""

from __future__ import annotations

from dataclasses import replace
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
    ScriptedClassifier,
    ScriptedDetector,
    detection,
    redetector,
    wall,
)
from tracker_blur.core.box import Box
from tracker_blur.images.frame import ImageFrame
from tracker_blur.tracking.detector_bundle import ClassDetector
from tracker_blur.tracking.stills import detect_still, detect_stills
from tracker_blur.tracking.target_classes import parameters_of

if TYPE_CHECKING:
    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector


def still(square: Box | None, index: int = 0, scale: int = 1) -> ImageFrame:
    """Return a still image of the square, enlarged this many times."""
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


def test_a_body_that_contains_a_higher_scoring_face_is_not_hidden() -> None:
    face, body = detection(SQUARE, 0.9), detection(SQUARE.padded(1.0), 0.6)
    detector = class_detector("face", ScriptedDetector([[body, face]]))
    (found,) = detect_still(detector, still(None))
    assert found.box == SQUARE


@pytest.mark.parametrize(("log_odds", "count"), [(-9.0, 0), (2.0, 1)])
def test_the_classifier_leaves_out_what_is_no_face(log_odds: float, count: int) -> None:
    detector = replace(class_detector("face"), classifier=ScriptedClassifier(log_odds))
    assert len(detect_still(detector, still(SQUARE))) == count


@pytest.mark.parametrize(("log_odds", "count"), [(-1.1, 0), (-0.9, 1)])
def test_a_face_of_the_highest_score_needs_some_odds(log_odds: float, count: int) -> None:
    detector = class_detector("face", BrightDetector(score=1.0))
    detector = replace(detector, classifier=ScriptedClassifier(log_odds))
    assert len(detect_still(detector, still(SQUARE))) == count


@pytest.mark.parametrize(("log_odds", "count"), [(-1.1, 0), (-0.9, 1)])
def test_a_face_of_many_pixels_needs_no_better_odds(log_odds: float, count: int) -> None:
    """In a video, where other frames tell more, it does (`clear_log_odds`)."""
    detector = class_detector("face", BrightDetector(score=0.6))
    detector = replace(detector, classifier=ScriptedClassifier(log_odds))
    image = still(Box.from_xywh(120, 60, 6, 6), scale=8)
    assert len(detect_still(detector, image)) == count


def test_a_small_face_of_the_highest_score_needs_some_odds_too() -> None:
    small = detection(Box.from_xywh(120, 60, 12, 12), 1.0)
    detector = class_detector("face", ScriptedDetector([[small]]))
    detector = replace(detector, classifier=ScriptedClassifier(-1.5))
    assert detect_still(detector, still(None)) == []


def test_a_plate_of_the_highest_score_may_have_lower_odds() -> None:
    plate = detection(Box.from_xywh(120, 60, 60, 20), 1.0)
    detector = replace(
        class_detector("plate", ScriptedDetector([[plate]])),
        classifier=ScriptedClassifier(-3.0),
        parameters=parameters_of("plate", PARAMETERS),
    )
    assert len(detect_still(detector, still(None))) == 1


@pytest.mark.parametrize(("log_odds", "count"), [(0.0, 0), (4.0, 1)])
def test_the_classifier_adds_low_confidence_detections(log_odds: float, count: int) -> None:
    detector = class_detector("face", BrightDetector(score=0.3))
    assert detect_still(detector, still(SQUARE)) == []
    detector = replace(detector, classifier=ScriptedClassifier(log_odds))
    assert len(detect_still(detector, still(SQUARE))) == count


def test_a_part_of_a_face_is_not_hidden_again() -> None:
    face = detection(SQUARE, 0.9)
    chin = detection(Box(SQUARE.left + 8, SQUARE.top + 16, SQUARE.right - 8, SQUARE.bottom), 0.3)
    detector = class_detector("face", ScriptedDetector([[face, chin]]))
    detector = replace(detector, classifier=ScriptedClassifier(4))
    assert [found.box for found in detect_still(detector, still(None))] == [SQUARE]


@pytest.mark.parametrize(("log_odds", "count"), [(0.0, 0), (4.0, 1)])
def test_a_turned_copy_shows_a_face_if_the_classifier_agrees(log_odds: float, count: int) -> None:
    class Lying(BrightDetector):
        def detect(self, image: Image, confidence: float) -> list[Detection]:
            return super().detect(image, confidence) if image.shape[0] > image.shape[1] else []

    detector = replace(
        class_detector("face", Lying()),
        classifier=ScriptedClassifier(log_odds),
        new_detector=Lying,
    )
    found = detect_still(detector, still(SQUARE))
    assert len(found) == count
    assert all(one.box.iou(SQUARE) > 0.8 for one in found)


def test_in_a_still_a_plate_of_an_odd_aspect_must_score_more() -> None:
    flat, square = Box.from_xywh(40, 40, 60, 20), Box.from_xywh(140, 40, 30, 30)
    for score, expected in ((0.45, [flat]), (0.72, [flat, square])):
        script = [[detection(flat, score), detection(square, score)]]
        plates = replace(
            class_detector("plate", ScriptedDetector(script)),
            confidence=0.4,
            parameters=parameters_of("plate", PARAMETERS),
        )
        assert [found.box for found in detect_still(plates, still(None))] == expected
