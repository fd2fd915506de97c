"""What detectors report in one image, with the classifier's odds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tests.tracking.fakes import SQUARE, ScriptedClassifier
from tests.tracking.test_stills import class_detector, still
from tracker_blur.core.box import Box, Detection
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.predicting import predict, predict_hidden

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


class Reporting:
    """Reports the same shares of any image; those that overlap, too."""

    default_confidence = 0.5
    low_confidence = 0.25
    takes_overlap = True

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[int, ...], float, float | None]] = []

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        self.calls.append((image.shape, confidence, overlap))
        height, width = image.shape[:2]
        shares = [(0.1, 0.9), (0.12, 0.7), (0.6, 0.3), (0.9, 0.6)]
        return [
            Detection(Box(left, 0.1, left + 0.2, 0.4).scaled(width, height), score)
            for left, score in shares
            if score >= confidence
        ]


def bundle(detector: Reporting, **changes: Any) -> DetectorBundle:
    one = replace(class_detector("face", detector), **changes)
    return DetectorBundle((one,), "reporting", ())


def test_boxes_are_in_pixels_of_the_image_and_within_it_the_highest_score_first() -> None:
    detector = Reporting()
    frame = still(None, scale=8)
    found = predict(bundle(detector), frame, max_size=320)
    assert max(detector.calls[0][0]) == 320
    width, height = frame.size
    assert max(frame.size) > 320
    assert found.size == frame.size
    assert [each.score for each in found.detections] == [0.9, 0.7, 0.6]
    box = found.detections[0].box
    expected = (0.1 * width, 0.1 * height, 0.3 * width, 0.4 * height)
    assert box.as_tuple() == pytest.approx(expected)
    assert found.detections[2].box.right == width
    assert (found.labels, found.detector) == (("face",), "reporting")


def test_confidence_and_overlap_reach_the_detector() -> None:
    detector = Reporting()
    loose = predict(bundle(detector), still(None), confidence=0.2, overlap=0.95)
    strict = predict(bundle(detector), still(None), confidence=0.2, overlap=0.1)
    assert [call[1:] for call in detector.calls] == [(0.2, 0.95), (0.2, 0.1)]
    assert [each.score for each in loose.detections] == [0.9, 0.7, 0.6, 0.3]
    assert [each.score for each in strict.detections] == [0.9, 0.6, 0.3]


def test_pixels_that_are_not_square_are_seen_square() -> None:
    detector = Reporting()
    frame = still(None)
    found = predict(bundle(detector), frame, pixel_aspect=Fraction(1, 2))
    width, height = frame.size
    assert detector.calls[0][0][:2] == (height, round(width / 2))
    assert found.detections[0].box.width == pytest.approx(0.2 * width)


def test_the_classifier_judges_but_decides_nothing() -> None:
    classifier = ScriptedClassifier(-3.0)
    judged = predict(bundle(Reporting(), classifier=classifier), still(SQUARE))
    assert [each.log_odds for each in judged.detections] == [-3.0] * 3
    plain = predict(bundle(Reporting(), classifier=classifier), still(SQUARE), with_odds=False)
    assert [each.log_odds for each in plain.detections] == [None] * 3
    assert [each.box for each in plain.detections] == [each.box for each in judged.detections]


def test_what_is_hidden_is_what_the_classifier_leaves() -> None:
    refusing = bundle(Reporting(), classifier=ScriptedClassifier(-30.0))
    assert predict(refusing, still(SQUARE)).detections
    assert predict_hidden(refusing, still(SQUARE)).detections == ()
