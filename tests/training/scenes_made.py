"""Scenes with bright disks as the things to find."""

from __future__ import annotations

import numpy as np

from tests.annotated_files import picture
from tracker_blur.core.box import Box
from tracker_blur.training.augmentation import Scene, empty_boxes


def scene(*boxes: Box, size: tuple[int, int] = (160, 120), seed: int = 0) -> Scene:
    """Return a noisy scene with a disk in each box."""
    return Scene(
        picture(seed, boxes, size),
        np.array([box.as_tuple() for box in boxes], np.float32).reshape(-1, 4),
        np.zeros(len(boxes), np.int64),
        empty_boxes(),
    )
