"""The size of views follows the smallest faces of a video."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.tracking.fakes import PARAMETERS, BrightDetector, ScriptedClassifier
from tracker_blur.core.box import Box, Detection
from tracker_blur.images.frame import ImageFrame
from tracker_blur.tracking.view_scale import FixedViews, ScaledViews

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

SIZE = (1920, 1080)


def frame(side: float, seconds: float = 0.0, *, is_bright: bool = False) -> ImageFrame:
    """Return a frame with a white square of this side, or with nothing for 0."""
    image = np.full((SIZE[1], SIZE[0]), 120 if is_bright else 10, np.uint8)
    if side:
        left, top, right, bottom = Box.around((900, 500), side, side).outward()
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), 255, -1)
    pts = round(1000 * seconds)
    planes = (image, image.copy(), image.copy())
    return ImageFrame(planes, index=pts // 40, pts=pts, time_base=Fraction(1, 1000))


def views(detector: BrightDetector | None = None, log_odds: float = 5.0) -> ScaledViews:
    classifier = ScriptedClassifier(log_odds)
    return ScaledViews(detector or BrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)


@pytest.mark.parametrize(
    ("side", "width"), [(0, 640), (300, 640), (48, 960), (34, 1280), (12, 1920)]
)
def test_the_smallest_face_decides_the_view_of_the_same_frame(side: float, width: int) -> None:
    assert views().view(frame(side)).shape[1] == width


def test_what_the_classifier_takes_for_no_face_does_not_count() -> None:
    assert views(log_odds=-5.0).view(frame(12)).shape[1] == 640


class SpecksAndFace(BrightDetector):
    """Detects some specks, and a face that is larger."""

    def __init__(self, specks: int) -> None:
        super().__init__()
        self._specks = specks

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        specks = [Box.from_xywh(20.0 * index, 20, 9, 9) for index in range(self._specks)]
        return [Detection(box, 0.9) for box in (*specks, FACE)]


FACE = Box.around((900, 500), 34, 34)


@pytest.mark.parametrize("specks", [0, 12, 39])
def test_a_face_among_many_smaller_false_alarms_decides(specks: int) -> None:
    classifier = ScriptedClassifier(-5.0, [(FACE, 5.0)])
    made = ScaledViews(SpecksAndFace(specks), classifier, 0.5, Fraction(1), PARAMETERS)
    assert made.view(frame(0)).shape[1] == 1280
    assert len(classifier.asked) == specks + 1


def test_where_there_is_more_than_can_be_asked_about_the_next_one_counts() -> None:
    classifier = ScriptedClassifier(-5.0)
    made = ScaledViews(SpecksAndFace(60), classifier, 0.5, Fraction(1), PARAMETERS)
    assert made.view(frame(0)).shape[1] == 1920
    assert len(classifier.asked) == PARAMETERS.view_scale.max_detections


def test_a_face_below_the_smallest_size_does_not_count() -> None:
    assert views().view(frame(6)).shape[1] == 640


def test_a_large_view_is_seen_now_and_then_and_after_a_cut() -> None:
    detector = BrightDetector()
    made = views(detector)
    calls = {}
    for seconds in np.arange(0, 5.1, 0.5).tolist():
        made.view(frame(300, seconds))
        calls[seconds] = detector.calls
    assert [calls[seconds] for seconds in (0.0, 0.5, 1.0, 2.5, 3.0, 5.0)] == [1, 1, 2, 2, 3, 4]
    made.view(frame(300, 5.2, is_bright=True))
    assert detector.calls == 5
    made.view(frame(300, 5.9, is_bright=True))
    assert detector.calls == 6
    assert detector.shapes == {(1080, 1920, 3)}


def test_views_stay_large_for_a_while_after_a_small_face_is_gone() -> None:
    made = views()
    widths = {}
    for number in range(18):
        seconds = 0.5 * number
        widths[seconds] = made.view(frame(12 if seconds <= 2 else 300, seconds)).shape[1]
    assert widths[0.0] == widths[6.5] == 1920
    assert widths[7.0] == 640


def test_a_cut_makes_views_small_at_once() -> None:
    made = views()
    assert made.view(frame(12, 0.0)).shape[1] == 1920
    assert made.view(frame(300, 0.04, is_bright=True)).shape[1] == 640


def small_frame(side: int) -> ImageFrame:
    image = np.full((270, 480), 10, np.uint8)
    cv2.rectangle(image, (200, 100), (199 + side, 99 + side), 255, -1)
    return ImageFrame((image,) * 3, index=0, pts=0, time_base=Fraction(1, 25))


@pytest.mark.parametrize(
    ("side", "width"),
    [(40, 480), (20, 640), (12, 960), (5, 480)],
)
def test_the_view_of_a_small_frame_is_enlarged_for_its_small_faces(side: int, width: int) -> None:
    assert views().view(small_frame(side)).shape[:2] == (width * 9 // 16, width)


def test_a_view_is_enlarged_for_sure_faces_only() -> None:
    doubtful = PARAMETERS.view_scale.enlarged_log_odds - 0.5
    assert views(log_odds=doubtful).view(small_frame(12)).shape[1] == 480
    assert views(log_odds=doubtful).view(frame(12)).shape[1] == 1920


def test_no_view_is_more_than_twice_as_large_as_its_frame() -> None:
    image = np.full((90, 160), 10, np.uint8)
    cv2.rectangle(image, (60, 40), (69, 49), 255, -1)
    tiny = ImageFrame((image,) * 3, index=0, pts=0, time_base=Fraction(1, 25))
    assert views().view(tiny).shape == (180, 320, 3)


@pytest.mark.parametrize(("longest_px", "width"), [(None, 640), (320, 320)])
def test_fixed_views_have_one_size(longest_px: int | None, width: int) -> None:
    assert FixedViews(longest_px, Fraction(1)).view(frame(12)).shape[1] == width
