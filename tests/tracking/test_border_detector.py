"""Faces that the border of an image cuts off are seen together with their mirror image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tracking.fakes import BrightDetector, ScriptedDetector, detection, wall
from tracker_blur.core.box import Box
from tracker_blur.images.frame import ImageFrame
from tracker_blur.images.reader import ImageReader
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings
from tracker_blur.tracking.border_detector import BorderDetector
from tracker_blur.tracking.stills import detect_still

if TYPE_CHECKING:
    from pathlib import Path

SHARE, SMALLEST_PX = 0.2, 8.0
SIZE = 320, 180


def border_detector(detector: BrightDetector | ScriptedDetector) -> BorderDetector:
    return BorderDetector(detector, SHARE, SMALLEST_PX)


@pytest.mark.parametrize(
    "square",
    [
        Box.from_xywh(-20, 60, 40, 40),
        Box.from_xywh(300, 60, 40, 40),
        Box.from_xywh(140, -20, 40, 40),
        Box.from_xywh(140, 160, 40, 40),
    ],
)
def test_half_a_face_is_detected_and_its_box_ends_at_the_border(square: Box) -> None:
    detector = BrightDetector()
    (found,) = border_detector(detector).detect(wall(square), 0.3)
    assert found.box.iou(square.clipped(*SIZE)) > 0.8
    assert detector.shapes == {(180 + 72, 320 + 72, 3)}
    assert detector.confidences == {0.3}


def test_what_the_border_does_not_cut_off_is_left_to_others() -> None:
    assert border_detector(BrightDetector()).detect(wall(Box.from_xywh(100, 60, 40, 40)), 0.3) == []


def test_mirror_images_and_small_faces_do_not_count() -> None:
    rim = 36
    seen = [
        detection(Box.from_xywh(-30, 60, 40, 40)),  # three quarters of it lie beyond the border
        detection(Box.from_xywh(-5, 60, 10, 10)),
        detection(Box.from_xywh(-10, 60, 40, 40)),
    ]
    moved = [detection(one.box.moved(rim, rim)) for one in seen]
    (found,) = border_detector(ScriptedDetector([moved])).detect(wall(), 0.3)
    assert found.box == Box(0, 60, 30, 100)


def test_a_face_that_the_border_of_a_photo_cuts_in_half_is_hidden(shared: Path) -> None:
    source = shared / "faces" / "deepface_tests" / "00002.jpg"
    woman = Box(0, 290, 38, 400)  # at the left border
    bundle = Engine(Settings(detector="onnx")).bundle
    with ImageReader(source) as reader:
        frame = next(iter(reader))
    assert isinstance(frame, ImageFrame)
    found = [one.box for one in detect_still(bundle.detectors[0], frame)]
    assert max(box.intersection_area(woman) for box in found) > 0.8 * woman.area
