"""Samples with bright disks as the objects, and how well a box fits its disk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tests.annotated_files import disk_image
from tracker_blur.core.box import Box
from tracker_blur.training.augmentation import Boxes, Sample, no_boxes

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

DISK = Box(60, 40, 100, 80)


def disk_sample(*boxes: Box, size: tuple[int, int] = (160, 120), seed: int = 0) -> Sample:
    """Return a noisy sample with a disk in each box."""
    return Sample(
        disk_image(seed, boxes, size),
        np.array([box.as_tuple() for box in boxes], np.float32).reshape(-1, 4),
        np.zeros(len(boxes), np.int64),
        np.ones(len(boxes), np.float32),
        no_boxes(),
    )


def bright_share(image: Image, box: Boxes) -> float:
    """Return which share of a box's inscribed ellipse is bright, as the disks are."""
    left, top, right, bottom = np.rint(box).astype(int)
    part = image[max(0, top) : bottom, max(0, left) : right, 1] > 130
    return float(part.mean()) / (math.pi / 4)


def aspect_ratios(boxes: Boxes) -> list[float]:
    """Return width over height of each box."""
    spans = boxes[:, 2:] - boxes[:, :2]
    ratios: list[float] = (spans[:, 0] / spans[:, 1]).tolist()
    return ratios


def inside_canvas(boxes: Boxes, side_px: int) -> Boxes:
    """Return the boxes that do not touch the border of a square canvas."""
    return boxes[(boxes[:, :2] > 1).all(1) & (boxes[:, 2:] < side_px - 1).all(1)]
