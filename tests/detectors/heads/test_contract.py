"""The contract of every output layout: a file in it detects its known boxes, wherever they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.detectors.heads.networks import FIRST, LAYOUTS, SCORES, SECOND, Layout
from tracker_blur.core.box import Box, Detection
from tracker_blur.detectors._foreign import ForeignDetector
from tracker_blur.detectors.onnx import from_content

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

RED_BGR, BLUE_BGR = (0, 0, 255), (255, 0, 0)


@pytest.fixture(params=list(LAYOUTS.values()), ids=list(LAYOUTS))
def layout(request: pytest.FixtureRequest) -> Layout:
    known: Layout = request.param
    return known


def filled(size: tuple[int, int], color: tuple[int, int, int]) -> Image:
    return np.full((size[1], size[0], 3), color, np.uint8)


def by_score(detections: list[Detection]) -> list[Detection]:
    return sorted(detections, key=lambda detection: -detection.score)


def check(detections: list[Detection], layout: Layout, boxes: list[Box]) -> None:
    found = by_score(detections)
    assert [each.label for each in found] == list(layout.found)
    assert [each.score for each in found] == pytest.approx(SCORES, abs=0.01)
    for each, box in zip(found, boxes, strict=True):
        assert each.box.as_tuple() == pytest.approx(box.as_tuple(), abs=0.2)


@pytest.mark.parametrize("is_dynamic", [False, True], ids=["fixed", "dynamic"])
def test_detects_the_known_boxes_in_an_image_of_its_size(layout: Layout, is_dynamic: bool) -> None:
    detector = from_content("mine.onnx", layout.content(is_dynamic=is_dynamic))
    assert isinstance(detector, ForeignDetector)
    assert detector.labels == layout.labels
    white = filled(layout.size, (255, 255, 255))
    detections = detector.detect(white, detector.default_confidence)
    check(detections, layout, [Box(*FIRST), Box(*SECOND)])


@pytest.mark.parametrize(
    "size", [(640, 384), (640, 100), (90, 640), (160, 96)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_boxes_are_in_pixels_of_images_of_any_proportions(
    layout: Layout, size: tuple[int, int]
) -> None:
    detector = from_content("mine.onnx", layout.content())
    ratio = min(layout.size[0] / size[0], layout.size[1] / size[1])
    inner = round(size[0] * ratio), round(size[1] * ratio)
    left = (layout.size[0] - inner[0]) // 2 if layout.is_centered else 0
    top = (layout.size[1] - inner[1]) // 2 if layout.is_centered else 0
    expected = [
        Box(*box).moved(-left, -top).scaled(size[0] / inner[0], size[1] / inner[1])
        for box in (FIRST, SECOND)
    ]
    check(detector.detect(filled(size, (255, 255, 255)), 0.5), layout, expected)


def test_red_and_blue_come_in_its_order(layout: Layout) -> None:
    detector = from_content("mine.onnx", layout.content())
    seen, unseen = (RED_BGR, BLUE_BGR) if layout.is_rgb else (BLUE_BGR, RED_BGR)
    assert len(detector.detect(filled(layout.size, seen), 0.5)) == 2
    assert detector.detect(filled(layout.size, unseen), 0.5) == []


def test_more_confidence_only_removes_detections(layout: Layout) -> None:
    detector = from_content("mine.onnx", layout.content())
    white = filled(layout.size, (255, 255, 255))
    assert len(detector.detect(white, detector.low_confidence)) == 2
    assert [each.score for each in detector.detect(white, 0.8)] == pytest.approx([0.9], abs=0.01)
    assert detector.detect(white, 0.95) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (7, 700)])
def test_accepts_images_of_any_size_and_leaves_them_alone(
    layout: Layout, size: tuple[int, int]
) -> None:
    detector = from_content("mine.onnx", layout.content())
    image = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), np.uint8)
    before = image.copy()
    for each in detector.detect(image, 0.3):
        assert not each.box.is_empty
    np.testing.assert_array_equal(image, before)
