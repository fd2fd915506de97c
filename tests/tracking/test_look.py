"""Single pictures are looked at on several scales, each by itself."""

from __future__ import annotations

from fractions import Fraction

import cv2
import pytest

from tests.bright_square import SQUARE, Blind, Bright, wall
from tracker_blur.core.box import Box
from tracker_blur.images.frame import ImageFrame
from tracker_blur.tracking.detector_bundle import ClassDetector, detect_each, detect_multiscale
from tracker_blur.tracking.redetection import Redetector


def frame(square: Box | None, index: int = 0, times: int = 1) -> ImageFrame:
    """Return a picture of the square, enlarged so many times."""
    picture = cv2.resize(wall(square), None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
    blue, green, red = cv2.split(picture)
    return ImageFrame((red, green, blue), index=index, pts=index, time_base=Fraction(1, 25))


def eye(label: str) -> ClassDetector:
    return ClassDetector(label, Bright(), Redetector(Bright()), 0.5, Blind)


def test_a_face_found_at_several_scales_is_one_in_pixels_of_the_picture() -> None:
    detector = Bright()
    (find,) = detect_multiscale(detector, frame(SQUARE, times=4), 0.5)
    assert {size[1] for size in detector.sizes} == {320, 640, 1280}
    assert find.box.as_tuple() == pytest.approx(SQUARE.scaled(4, 4).as_tuple(), abs=4)


def test_every_picture_is_looked_at_for_every_kind_and_no_number_is_given_twice() -> None:
    frames = [frame(SQUARE), frame(None, 1), frame(SQUARE.moved(50, 0), 2)]
    seen = list(detect_each(frames, [eye("face"), eye("plate")]))
    assert [one.index for one, _ in seen] == [0, 1, 2]
    assert [[face.label for face in faces] for _, faces in seen] == [
        ["face", "plate"],
        [],
        ["face", "plate"],
    ]
    assert [face.track_id for _, faces in seen for face in faces] == [0, 1, 2, 3]
