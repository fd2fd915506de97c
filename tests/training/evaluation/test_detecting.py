"""Running a detector over annotated images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.annotated_files import BOX, SIZE, write_image
from tracker_blur.core.box import Box, Detection
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.evaluation.detecting import detect_images, top_detections

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


class MiddleDetector:
    """Detects the middle of every image, and records the sizes of the images."""

    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        rows, columns = image.shape[:2]
        self.sizes.append((columns, rows))
        return [Detection(Box(0.25 * columns, 0, 0.75 * columns, rows), 0.9)]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("widened", [1.0, 1.44])
def test_boxes_are_in_the_stored_pixels(tmp_path: Path, scale: float, widened: float) -> None:
    image = AnnotatedImage(write_image(tmp_path / "a.png"), SIZE, (("face", BOX),))
    detector = MiddleDetector()
    ((detection,),) = detect_images(detector, [image], scale, widened)
    (columns, rows), (width, height) = detector.sizes[0], SIZE
    assert columns / rows == pytest.approx(widened * width / height, rel=0.03)
    assert columns * rows == pytest.approx(scale**2 * width * height, rel=0.03)
    assert detection.box.as_tuple() == pytest.approx((0.25 * width, 0, 0.75 * width, height))


def test_as_many_detections_as_labels_are_kept() -> None:
    image = AnnotatedImage(Path("a.png"), SIZE, (("plate", BOX), ("face", BOX)))
    detections = [
        Detection(BOX, 0.4, "plate"),
        Detection(BOX.moved(40, 0), 0.8, "plate"),
        Detection(BOX, 0.9, "face"),
    ]
    assert top_detections(detections, image, "plate") == [detections[1]]
    assert top_detections(detections, AnnotatedImage(Path("b.png"), SIZE, ()), "plate") == []


class BrightDetector:
    """Detects all that is bright."""

    default_confidence = 0.5
    low_confidence = 0.3

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        rows, columns = np.nonzero(image[..., 2] > 150)
        return [Detection(Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), 0.9)]


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_boxes_in_turned_images_are_where_the_object_is(tmp_path: Path, turn: int) -> None:
    image = AnnotatedImage(write_image(tmp_path / "a.png"), SIZE, (("face", BOX),))
    ((detection,),) = detect_images(BrightDetector(), [image], 2.0, 1.2, turn)
    assert detection.box.iou(BOX) > 0.85
