"""YuNet beyond the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.detectors.face_images import FACE, best_iou, portrait, with_face_at
from tracker_blur.core.box import Box
from tracker_blur.detectors import yunet
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.shared


@pytest.fixture
def weights(shared: Path) -> Weights:
    return Weights(shared / "models")


@pytest.mark.parametrize("face_px", [16, 40, 120, 320, 500, 640])
def test_detects_faces_from_16_pixels_to_the_whole_image(weights: Weights, face_px: int) -> None:
    image, face = with_face_at((1280, 720), (600, 350), face_px)
    assert best_iou(yunet.load(weights).detect(image, 0.5), face) > 0.5


def test_the_box_of_a_cut_face_reaches_beyond_the_border(weights: Weights) -> None:
    cut = round(FACE.left + 0.35 * FACE.width)
    detections = yunet.load(weights).detect(np.ascontiguousarray(portrait()[:, cut:]), 0.5)
    best = max(detections, key=lambda detection: detection.score)
    assert best.box.left < 0
    assert best.box.iou(FACE.moved(-cut, 0)) > 0.5


def test_both_versions_of_the_network_agree(shared: Path, tmp_path: Path) -> None:
    results = []
    for (name,) in yunet.WEIGHTS:
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes((shared / "models" / name).read_bytes())
        results.append(yunet.load(Weights(folder)).detect(portrait(), 0.3))
    boxes = [[detection.box.as_tuple() for detection in result] for result in results]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=0.01)


def test_empty_boxes_are_not_returned(weights: Weights) -> None:
    assert not any(
        detection.box.is_empty or detection.box == Box(0, 0, 0, 0)
        for detection in yunet.load(weights).detect(portrait(0.25), 0.0)
    )
