"""Samples in memory, and the canvases made of them."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

from tests.annotated_files import BOX, SIZE, disk_image, write_image
from tests.training.samples import DISK, disk_sample
from tracker_blur.core.box import Box
from tracker_blur.training.augmentation import make_mosaic
from tracker_blur.training.corruption import corrupt
from tracker_blur.training.crowds import cut_out_objects, paste_crowd
from tracker_blur.training.data import MosaicDataset, collate, endless_batches, load_samples
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
