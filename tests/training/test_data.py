"""Samples in memory, pasted crowds, and the canvases made of them."""

from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

from tests.annotated_files import BOX, SIZE, disk_image, write_image
from tests.training.samples import DISK, aspect_ratios, bright_share, disk_sample
from tracker_blur.core.box import Box
from tracker_blur.training.augmentation import corrupt, make_mosaic
from tracker_blur.training.data import (
    MosaicDataset,
    collate,
    cut_out_objects,
    endless_batches,
    load_samples,
    paste_crowd,
)
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.recipe import Augmentation, GeometricAugmentation

if TYPE_CHECKING:
    from pathlib import Path


def test_objects_of_other_classes_are_ignored_regions(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.png")
    objects = ("face", BOX), ("badge", Box(0, 0, 9, 9))
    (sample,) = load_samples([AnnotatedImage(file, SIZE, objects)], ["face"])
    np.testing.assert_array_equal(sample.image, disk_image())
    np.testing.assert_array_equal(sample.boxes, [BOX.as_tuple()])
    np.testing.assert_array_equal(sample.ignored, [(0, 0, 9, 9)])


def test_large_images_are_reduced_with_their_boxes(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.png", disk_image(size=(1280, 320)))
    annotated = AnnotatedImage(file, (1280, 320), (("face", BOX),))
    (sample,) = load_samples([annotated], ["face"])
    assert sample.image.shape == (160, 640, 3)
    np.testing.assert_allclose(sample.boxes, [BOX.scaled(0.5, 0.5).as_tuple()])


def test_crowds_are_pasted_where_their_boxes_are() -> None:
    rng = np.random.default_rng(2)
    cutouts = cut_out_objects([disk_sample(DISK), disk_sample(seed=1)], rng, decoys=5)
    assert sorted({cutout.label is None for cutout in cutouts}) == [False, True]
    canvas = disk_sample(Box(20, 20, 50, 50), size=(200, 200))
    crowd = paste_crowd(canvas, cutouts, GeometricAugmentation(), rng)
    assert len(crowd.boxes) == len(crowd.labels) > 5
    shares = [bright_share(crowd.image, box) for box in crowd.boxes[1:]]
    assert np.median(shares) == pytest.approx(1.0, abs=0.25)


def test_crowds_are_widened() -> None:
    rng = np.random.default_rng(5)
    geometry = GeometricAugmentation(widened=(1.5, 2.0))
    ratios = []
    for _ in range(30):
        cutouts = cut_out_objects([disk_sample(DISK)], rng)
        crowd = paste_crowd(disk_sample(size=(200, 200)), cutouts, geometry, rng)
        ratios.append(float(np.median(aspect_ratios(crowd.boxes))))
    assert np.median(ratios) == pytest.approx(1.73, abs=0.12)


@pytest.mark.parametrize("turned", [0.0, 1.0])
def test_crowds_are_turned_as_often_as_images(turned: float) -> None:
    rng = np.random.default_rng(6)
    cutouts = cut_out_objects([disk_sample(Box(60, 40, 80, 80))], rng)  # twice as high as wide
    geometry = GeometricAugmentation(any_share=turned)
    crowd = paste_crowd(disk_sample(size=(300, 300)), cutouts, geometry, rng)
    is_wide = np.array(aspect_ratios(crowd.boxes)) > 1
    assert 0.3 < is_wide.mean() < 0.95 if turned else not is_wide.any()


def test_crowded_cut_and_uncertain_objects_are_not_cut_out() -> None:
    crowded = disk_sample(DISK, Box(100, 40, 140, 80))
    at_border = disk_sample(Box(0, 0, 40, 40))
    uncertain = replace(disk_sample(DISK), certainties=np.array([0.9], np.float32))
    assert cut_out_objects([crowded, at_border, uncertain], np.random.default_rng(0)) == []


def test_certainties_stay_with_their_boxes(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.png")
    objects = ("badge", Box(0, 0, 9, 9)), ("face", BOX), ("face", BOX.moved(30, 0))
    (sample,) = load_samples([AnnotatedImage(file, SIZE, objects, certainties=(0.5,))], ["face"])
    assert sample.certainties.tolist() == [1.0, 0.5]
    geometry = GeometricAugmentation()
    cutouts = cut_out_objects([disk_sample(DISK)], np.random.default_rng(0))
    for seed in range(5):
        rng = np.random.default_rng(seed)
        mosaic = make_mosaic(lambda _: (sample, sample.boxes[1:]), 96, geometry, rng)
        canvas = corrupt(paste_crowd(mosaic, cutouts, geometry, rng), rng)
        shown, pasted = mosaic.certainties.tolist(), len(canvas.boxes) - len(mosaic.boxes)
        assert len(shown) == len(mosaic.boxes)
        assert {0.5} <= set(shown) <= {0.5, 1.0}
        assert canvas.certainties.tolist() == shown + [1.0] * pasted
        both = collate([canvas, canvas]).targets
        assert both.certainty.tolist() == canvas.certainties.tolist() * 2


def test_canvases_of_one_seed_are_the_same() -> None:
    samples = [disk_sample(Box(60, 40, 100, 80)), disk_sample(seed=1)]
    first, second = (
        next(iter(MosaicDataset(samples, [1, 1], Augmentation(96), 3))) for _ in range(2)
    )
    np.testing.assert_array_equal(first.image, second.image)


@pytest.mark.timeout(60)
def test_workers_start_after_opencv_used_its_threads() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (900, 900))
        time.sleep(0.1)  # the threads wait for work
        dataset = MosaicDataset([disk_sample(DISK)], [1], Augmentation(96), 3)
        batch = next(endless_batches(dataset, 2, workers=1))
        assert batch.images.shape == (2, 3, 96, 96)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


def test_samples_are_drawn_by_their_shares() -> None:
    samples = [disk_sample(Box(60, 40, 100, 80)), disk_sample(seed=1)]
    dataset = MosaicDataset(samples, [1, 0], Augmentation(96, crowd_share=0), 3)
    canvases = [dataset.make_canvas(np.random.default_rng(i)) for i in range(10)]
    assert all(len(canvas.boxes) + len(canvas.ignored) for canvas in canvases)
