"""The SSD's tiles."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detectors.face_images import best_iou, with_face_at
from tracker_blur.core.box import Box
from tracker_blur.detectors import ssd
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path


@given(st.integers(1, 5000))
def test_tiles_cover_a_length_and_overlap(length: int) -> None:
    starts = ssd._starts(length)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - ssd._TILE_PX)
    for left, right in itertools.pairwise(starts):
        assert left < right <= left + ssd._TILE_PX - ssd._OVERLAP_PX


@given(st.data(), st.integers(361, 3000), st.integers(361, 3000))
def test_a_face_up_to_the_overlap_lies_whole_in_some_tile(
    data: st.DataObject, width: int, height: int
) -> None:
    side = ssd._OVERLAP_PX - 2 * ssd._TILE_BORDER_PX - 2
    x, y = data.draw(st.integers(0, width - side)), data.draw(st.integers(0, height - side))
    face = Box.from_xywh(x, y, side, side)
    assert any(
        Box.from_xywh(left, top, ssd._TILE_PX, ssd._TILE_PX).covers(face)
        and ssd._inner_area(left, top, width, height).covers(face)
        for left, top in ssd._tiles(width, height)
    )


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("center", [(640, 360), (500, 150), (330, 340), (150, 600)])
@pytest.mark.parametrize("face_px", [40, 90, 200])
def test_detects_a_face_once_wherever_the_tiles_meet(
    shared: Path, center: tuple[int, int], face_px: int
) -> None:
    image, face = with_face_at((1000, 720), center, face_px)
    detections = ssd.load(Weights(shared / "models")).detect(image, 0.5)
    assert best_iou(detections, face) > 0.5
    assert sum(detection.box.intersection_area(face) > 0 for detection in detections) == 1


@pytest.mark.shared
def test_a_small_face_is_missed_without_tiles(shared: Path) -> None:
    image, face = with_face_at((1280, 720), (900, 300), 40)
    detector = ssd.load(Weights(shared / "models"))
    assert isinstance(detector, ssd.Ssd)
    assert detector._detect_in_tile(image, 0.5) == []
    assert best_iou(detector.detect(image, 0.5), face) > 0.5
