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


TILES = st.sampled_from([ssd._Tiles(360, 0.2), ssd._Tiles(300, 0.1), ssd._Tiles(500, 0.6)])


def test_the_default_tiles_overlap_by_72_pixels() -> None:
    parameters = ssd.Parameters()
    assert ssd._Tiles(parameters.tile_size, parameters.tile_overlap).overlap_px == 72


@given(TILES, st.integers(1, 5000))
def test_tiles_cover_a_length_and_overlap(tiles: ssd._Tiles, length: int) -> None:
    starts = tiles.starts(length)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - tiles.side_px)
    for left, right in itertools.pairwise(starts):
        assert left < right <= left + tiles.side_px - tiles.overlap_px


@given(st.data(), TILES, st.integers(361, 3000), st.integers(361, 3000))
def test_a_face_up_to_the_overlap_lies_whole_in_some_tile(
    data: st.DataObject, tiles: ssd._Tiles, width: int, height: int
) -> None:
    side = tiles.overlap_px - 2 * ssd._TILE_BORDER_PX - 2
    x, y = data.draw(st.integers(0, width - side)), data.draw(st.integers(0, height - side))
    face = Box.from_xywh(x, y, side, side)
    assert any(
        Box.from_xywh(left, top, tiles.side_px, tiles.side_px).covers(face)
        and tiles.inner_area(left, top, width, height).covers(face)
        for left, top in tiles.corners(width, height)
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
