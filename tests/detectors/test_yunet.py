"""YuNet beyond the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.detectors.pictures import FACE, best_iou, portrait, with_face_at
from tracker_blur.core.box import Box
from tracker_blur.detectors import yunet
from tracker_blur.weights.store import Weights

pytestmark = pytest.mark.shared


@pytest.fixture
def weights(shared: Path) -> Weights:
    return Weights(shared / "models")


@pytest.mark.parametrize("face_px", [16, 40, 120, 320, 500, 640])
def test_sees_faces_from_16_pixels_to_all_of_the_picture(weights: Weights, face_px: int) -> None:
    image, face = with_face_at((1280, 720), (600, 350), face_px)
    assert best_iou(yunet.load(weights).detect(image, 0.5), face) > 0.5


def test_a_face_cut_by_the_border_keeps_its_extent(weights: Weights) -> None:
    cut = round(FACE.left + 0.35 * FACE.width)
    found = yunet.load(weights).detect(np.ascontiguousarray(portrait()[:, cut:]), 0.5)
    best = max(found, key=lambda find: find.score)
    assert best.box.left < 0
    assert best.box.iou(FACE.moved(-cut, 0)) > 0.5


def test_both_editions_of_the_network_agree(shared: Path, tmp_path: Path) -> None:
    found = []
    for (name,) in yunet.WEIGHTS:
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes((shared / "models" / name).read_bytes())
        found.append(yunet.load(Weights(folder)).detect(portrait(), 0.3))
    boxes = [[find.box.as_tuple() for find in each] for each in found]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=0.01)


def test_the_empty_box_is_no_find(weights: Weights) -> None:
    assert not any(
        find.box.is_empty or find.box == Box(0, 0, 0, 0)
        for find in yunet.load(weights).detect(portrait(0.25), 0.0)
    )
