"""Corrupted images show the same objects in the same places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.samples import DISK, disk_sample
from tracker_blur.core.box import Box
from tracker_blur.training.corruption import blur, corrupt, occlude


def test_corruption_keeps_boxes_and_shape() -> None:
    rng = np.random.default_rng(0)
    before = disk_sample(DISK)
    for _ in range(60):
        after = corrupt(replace(before, image=before.image.copy()), rng)
        assert after.image.shape == before.image.shape
        assert after.image.dtype == np.uint8
        np.testing.assert_array_equal(after.boxes, before.boxes)


def test_occlusions_show_no_other_object() -> None:
    corners = [(x, y) for x in (4, 44, 84, 124) for y in (4, 44, 84)]
    sample = disk_sample(*(Box(x, y, x + 24, y + 24) for x, y in corners))
    sample.image[sample.image < 130] = 0
    for x, y in corners:
        sample.image[y : y + 24, x : x + 24] = (10, 250, 10)  # no bar has this color
    hidden = 0
    for seed in range(200):
        image = occlude(sample.image.copy(), sample.boxes, np.random.default_rng(seed))
        objects = np.zeros(image.shape[:2], bool)
        for left, top, right, bottom in sample.boxes.astype(int):
            objects[top:bottom, left:right] = True
        visible = (image == (10, 250, 10)).all(-1)
        assert not (visible & ~objects).any()
        hidden += int((objects & ~visible).sum())
    assert hidden > 0


@pytest.mark.parametrize("seed", range(8))
def test_blur_moves_nothing(seed: int) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[31:33, 31:33] = 255
    blurred = blur(image, np.random.default_rng(seed))[..., 0].astype(float)
    y, x = np.mgrid[:64, :64] + 0.5
    np.testing.assert_allclose((blurred * x).sum() / blurred.sum(), 32, atol=0.51)
    np.testing.assert_allclose((blurred * y).sum() / blurred.sum(), 32, atol=0.51)
