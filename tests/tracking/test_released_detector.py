"""Detectors that are seldom used are loaded again after a large image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.tracking.fakes import SQUARE, BrightDetector, wall
from tracker_blur.tracking.released_detector import ReleasedDetector

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


def test_it_is_kept_after_small_images_and_loaded_again_after_large_ones() -> None:
    loads: list[BrightDetector] = []

    def load() -> BrightDetector:
        loads.append(BrightDetector())
        return loads[-1]

    detector = ReleasedDetector(load, 400)
    assert detector.default_confidence == loads[0].default_confidence
    assert detector.low_confidence == loads[0].low_confidence
    small = wall(SQUARE)
    large: Image = np.repeat(np.repeat(small, 2, 0), 2, 1)
    assert max(small.shape) <= 400 < max(large.shape)
    for image, count in ((small, 1), (small, 1), (large, 1), (large, 2), (small, 3), (small, 3)):
        scale = image.shape[0] / small.shape[0]
        (found,) = detector.detect(image, 0.5)
        assert found.box.iou(SQUARE.scaled(scale, scale)) > 0.9
        assert len(loads) == count
