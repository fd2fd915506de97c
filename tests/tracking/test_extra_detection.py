"""extra detections: turned copies and other detectors, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.tracking.fakes import SQUARE, BrightDetector, wall
from tracker_blur.core.box import Box
from tracker_blur.core.parameters import ExtraDetectionParameters
from tracker_blur.tracking.extra_detection import (
    QUARTERS,
    ExtraDetection,
    ExtraDetections,
    Way,
    turned,
    turned_back,
)

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

OBLONG = Box.from_xywh(30, 100, 60, 20)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_box_in_a_turned_copy_is_where_it_was(quarters: int) -> None:
    image: Image = np.zeros((180, 320, 3), np.uint8)
    image[100:120, 30:90] = 255
    rows, columns = np.nonzero(turned(image, quarters)[..., 0])
    seen = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert turned_back(seen, (320, 180), quarters) == OBLONG


@pytest.mark.parametrize("quarters", QUARTERS)
def test_a_look_detects_in_a_turned_copy(quarters: int) -> None:
    detector = BrightDetector()
    (found,) = ExtraDetection(detector, Way(0, quarters), 0.3).detect(wall(SQUARE))
    assert found.box.iou(SQUARE) > 0.8
    assert detector.shapes == {(180, 320, 3) if quarters == 2 else (320, 180, 3)}
    assert detector.confidences == {0.3}


def extra_detections() -> ExtraDetections:
    detector = BrightDetector()
    every = [ExtraDetection(detector, Way(0, quarters), 0.3) for quarters in QUARTERS]
    return ExtraDetections(every, ExtraDetectionParameters(interval_seconds=0.5))


def quarters_at(extra_detections: ExtraDetections, times: list[float]) -> list[int | None]:
    due = (extra_detections.detect(wall(SQUARE), seconds) for seconds in times)
    return [None if one is None else one[0].way.quarters for one in due]


def test_a_new_scene_gets_each_extra_detection_at_once_and_then_one_now_and_then() -> None:
    every = extra_detections()
    times = [0.04 * index for index in range(30)]
    first = quarters_at(every, times)
    assert first[:3] == list(QUARTERS)
    later = [number for number, quarters in enumerate(first[3:], 3) if quarters is not None]
    assert later == [13, 25]  # the first detection frames from 0.5 and from 1.0 seconds on
    every.restart()
    assert quarters_at(every, [2.0, 2.04, 2.08]).count(None) == 0


def test_who_begins_later_soon_takes_the_same_extra_detections() -> None:
    early, late = extra_detections(), extra_detections()
    quarters_at(early, [0.04 * index for index in range(53)])
    times = [0.04 * index for index in range(53, 90)]
    one, other = quarters_at(early, times), quarters_at(late, times)
    assert one != other
    assert one[10:] == other[10:]
    assert early.state() == late.state()


def test_without_extra_detections_none_is_due() -> None:
    assert ExtraDetections([], ExtraDetectionParameters()).detect(wall(SQUARE), 0.0) is None
