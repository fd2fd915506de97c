"""Crops that are moved, rotated and made worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.annotated_files import disk_image
from tests.training.verifier.samples import DISK, boxes
from tracker_blur.classifiers.crops import crop, transformed
from tracker_blur.training.recipe import UPRIGHT_CROPS, CropAugmentation
from tracker_blur.training.verifier.distortions import random_motion, spoil

STILL = CropAugmentation(moved_ratio=0.0, usual_rotation_deg=0.0, any_rotation_share=0.0)


def test_without_any_motion_the_crop_is_the_programs() -> None:
    image = disk_image(0, (DISK,), (160, 120))
    expected = crop(image, DISK)
    found = [
        transformed(image, random_motion(boxes(DISK)[0], STILL, np.random.default_rng(seed)))
        for seed in range(8)
    ]
    is_same = [np.array_equal(one, expected) for one in found]
    assert any(is_same)
    mirrored = found[is_same.index(False)]
    np.testing.assert_allclose(mirrored[:, ::-1].astype(int), expected, atol=1)


@pytest.mark.parametrize(
    ("augmentation", "most"), [(CropAugmentation(), 180.0), (UPRIGHT_CROPS, 20.0)]
)
def test_rotations_are_as_large_as_configured(augmentation: CropAugmentation, most: float) -> None:
    sure = replace(augmentation, any_rotation_share=1.0, moved_ratio=0.0)
    angles = []
    for seed in range(200):
        motion = random_motion(boxes(DISK)[0], sure, np.random.default_rng(seed))
        flip = np.sign(np.linalg.det(motion[:, :2]))
        angles.append(abs(np.degrees(np.arctan2(motion[1, 0] * flip, motion[0, 0] * flip))))
    assert 0.9 * most < max(angles) <= most


def test_squeezed_images_are_widened() -> None:
    wide = replace(STILL, widened=(4.0, 4.0))
    motion = random_motion(boxes(DISK)[0], wide, np.random.default_rng(0))
    assert abs(motion[0, 0] / motion[1, 1]) == pytest.approx(4.0)
    assert abs(np.linalg.det(motion[:, :2])) == pytest.approx((64 / (2 * 40)) ** 2)


def test_spoiled_crops_keep_shape_and_type() -> None:
    before = crop(disk_image(0, (DISK,), (160, 120)), DISK)
    given = before.copy()
    spoiled = [spoil(given, np.random.default_rng(seed)) for seed in range(50)]
    assert all(one.shape == (64, 64, 3) and one.dtype == np.uint8 for one in spoiled)
    assert len({one.tobytes() for one in spoiled}) == 50
    np.testing.assert_array_equal(given, before)
