"""Poses and skin tones that are estimated from pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.detectors.face_images import FACE, portrait
from tracker_blur.core.box import Box, Detection
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.evaluation.groups import (
    POSES,
    TONES,
    UNKNOWN,
    Grouper,
    group_objects,
    recall_by_group,
    tone,
)
from tracker_blur.training.evaluation.measure import score_detections
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image

BOX = Box(10, 10, 70, 70)


def flat_image(lab: tuple[float, float, float]) -> Image:
    pixel = np.full((80, 80, 3), lab, np.float32)
    return np.asarray(np.rint(cv2.cvtColor(pixel, cv2.COLOR_LAB2BGR) * 255), np.uint8)


@pytest.mark.parametrize(
    ("lab", "expected"),
    [
        ((75, 10, 15), "light"),  # angle 59
        ((58, 12, 17), "medium"),  # 25
        ((40, 12, 17), "dark"),  # -30
        ((60, 0, 0), UNKNOWN),
        ((60, 0, -20), UNKNOWN),
    ],
)
def test_tones(lab: tuple[float, float, float], expected: str) -> None:
    assert tone(flat_image(lab), BOX) == expected


def test_small_boxes_and_boxes_outside_have_no_tone() -> None:
    assert tone(flat_image((75, 10, 15)), Box(10, 10, 25, 40)) == UNKNOWN
    assert tone(flat_image((75, 10, 15)), Box(200, 200, 260, 260)) == UNKNOWN


@pytest.mark.shared
def test_poses_of_a_face(shared: Path) -> None:
    grouper = Grouper(Weights(shared / "models"))
    assert grouper.pose(portrait(), FACE) in ("frontal", "half turned")
    assert grouper.pose(np.zeros((400, 400, 3), np.uint8), FACE) == UNKNOWN


@pytest.mark.shared
def test_recall_of_groups(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), portrait())
    rows, columns = portrait().shape[:2]
    wall = Box(0, 0, 40, 40)
    images = [AnnotatedImage(path, (columns, rows), (("face", FACE), ("face", wall)))]
    groups = group_objects(Grouper(Weights(shared / "models")), images, "face")
    scores = score_detections(images, [[Detection(FACE, 0.9)]], "face", 12)
    rows = recall_by_group(scores, 1, groups)
    by_name = [(row.name, row.object_count, row.recall) for row in rows]
    assert [name for name, _, _ in by_name] == [*POSES, *TONES]
    poses = by_name[: len(POSES)]
    assert sum(count for _, count, _ in poses) == 2
    assert (UNKNOWN, 1, 0.0) in poses
    assert any(count == 1 and recall == 1.0 for _, count, recall in poses)
