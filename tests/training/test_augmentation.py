"""Boxes move with the pixels; corruption leaves them where they are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.training.samples import DISK, aspect_ratios, bright_share, disk_sample, inside_canvas
from tracker_blur.core.box import Box
from tracker_blur.training.augmentation import Pick, Sample, box_sides, make_mosaic, warp
from tracker_blur.training.recipe import GeometricAugmentation


def pick(sample: Sample) -> Pick:
    return sample, sample.boxes


@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7])
def test_boxes_stay_on_the_disk(degrees: float, scale: float) -> None:
    angle = math.radians(degrees)
    linear = scale * np.array(
        ((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle)))
    )
    offset = np.array((64.0, 64.0)) - linear @ np.array(DISK.center)
    matrix = np.concatenate((linear, offset[:, None]), 1)
    moved = warp(disk_sample(DISK), matrix, (128, 128), 0)
    assert moved.image.shape == (128, 128, 3)
    (box,) = moved.boxes
    assert box_sides(moved.boxes)[0] == pytest.approx(40 * scale, rel=0.01)
    assert bright_share(moved.image, box) == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("mirrored", [1.0, -1.0])
@pytest.mark.parametrize("scale", [0.2, 0.5, 1.0, 2.5])
def test_pixels_move_exactly_as_boxes_do(scale: float, mirrored: float) -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    image[40:80, 60:100] = 255
    square = replace(disk_sample(DISK), image=image)
    linear = np.diag((scale * mirrored, scale))
    offset = np.array((64.3, 63.6)) - linear @ np.array(DISK.center)
    moved = warp(square, np.concatenate((linear, offset[:, None]), 1), (128, 128), 0)
    weights = moved.image[..., 0] / moved.image[..., 0].sum()
    y, x = np.mgrid[:128, :128] + 0.5
    np.testing.assert_allclose((weights * x).sum(), 64.3, atol=0.05)
    np.testing.assert_allclose((weights * y).sum(), 63.6, atol=0.05)
    np.testing.assert_allclose(moved.boxes[0, :2] + moved.boxes[0, 2:], (128.6, 127.2), rtol=1e-5)


def test_rotated_rectangles_need_larger_boxes() -> None:
    matrix = np.array(((0.6, -0.8, 60.0), (0.8, 0.6, -20.0)))
    plate = disk_sample(Box(60, 40, 100, 50))
    moved = warp(plate, matrix, (128, 128), 0, "rectangle").boxes
    np.testing.assert_allclose(moved[0, 2:] - moved[0, :2], (32, 38), rtol=1e-5)
    ellipse = warp(plate, matrix, (128, 128), 0, "ellipse").boxes
    assert (ellipse[0, 2:] - ellipse[0, :2] < (32, 38)).all()


def test_objects_hardly_visible_or_too_small_are_ignored() -> None:
    sample = disk_sample(Box(-20, 0, 10, 30), Box(50, 50, 54, 54), DISK)
    cut = warp(sample, np.eye(2, 3), (160, 120), 0)
    np.testing.assert_allclose(cut.boxes, [DISK.as_tuple()])
    np.testing.assert_allclose(cut.ignored, [(0, 0, 10, 30), (50, 50, 54, 54)])


def test_objects_outside_the_canvas_are_dropped() -> None:
    away = np.array(((1.0, 0, 500), (0, 1.0, 0)))
    assert len(warp(disk_sample(DISK), away, (160, 120), 0).boxes) == 0


def test_mosaics_show_objects_where_their_boxes_are() -> None:
    rng = np.random.default_rng(5)
    geometry = GeometricAugmentation(any_share=0)
    samples = [
        disk_sample(DISK, seed=1),
        disk_sample(Box(10, 10, 60, 60), seed=2),
        disk_sample(seed=3),
    ]
    shares = []
    for _ in range(40):
        mosaic = make_mosaic(lambda rng: pick(samples[int(rng.integers(3))]), 128, geometry, rng)
        assert mosaic.image.shape == (128, 128, 3)
        shares += [bright_share(mosaic.image, box) for box in inside_canvas(mosaic.boxes, 128)]
        assert (box_sides(mosaic.boxes) >= 6).all()
    assert np.median(shares) == pytest.approx(1.0, abs=0.15)
    assert len(shares) > 40


def test_mosaics_widen_squeezed_images() -> None:
    rng = np.random.default_rng(5)
    geometry = GeometricAugmentation(
        usual_deg=0.0, tilted_share=0.0, any_share=0.0, widened=(1.5, 2.0)
    )
    ratios = []
    for _ in range(30):
        mosaic = make_mosaic(lambda _: pick(disk_sample(DISK)), 128, geometry, rng)
        ratios += aspect_ratios(inside_canvas(mosaic.boxes, 128))
    assert np.median(ratios) == pytest.approx(1.73, abs=0.12)
