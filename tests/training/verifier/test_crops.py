"""Random crops: what they show, and how often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import torch

from tests.training.verifier.crop_samples import disk_crop_sample, empty_crop_sample
from tracker_blur.classifiers.crops import BORDER_BGR
from tracker_blur.core.box import Box
from tracker_blur.training.recipe import CropAugmentation
from tracker_blur.training.verifier.crops import CropDataset, endless_crop_batches

ONLY = CropAugmentation(
    object_share=0.0,
    false_alarm_share=0.0,
    empty_share=0.0,
    redacted_share=0.0,
    moved_ratio=0.0,
    any_rotation_share=0.0,
)
SAMPLES = [disk_crop_sample(0), empty_crop_sample(1)]


def labels(augmentation: CropAugmentation, count: int = 60) -> list[float]:
    dataset = CropDataset(SAMPLES, "face", augmentation, seed=0)
    rng = np.random.default_rng(0)
    return [dataset.make_crop(rng)[1] for _ in range(count)]


@pytest.mark.parametrize(
    ("augmentation", "label"),
    [
        (replace(ONLY, object_share=1.0), 1.0),
        (replace(ONLY, false_alarm_share=1.0), 0.0),
        (replace(ONLY, empty_share=1.0), 0.0),
        (replace(ONLY, redacted_share=1.0), 0.0),
        (ONLY, 0.0),  # places next to objects
    ],
)
def test_only_crops_of_objects_are_labeled_as_such(
    augmentation: CropAugmentation, label: float
) -> None:
    assert set(labels(augmentation)) == {label}


def test_objects_have_their_share() -> None:
    assert np.mean(labels(CropAugmentation(), 600)) == pytest.approx(0.43, abs=0.06)


def test_crops_show_what_they_are_labeled_as() -> None:
    dataset = CropDataset(SAMPLES, "face", replace(ONLY, object_share=0.5), seed=0)
    rng = np.random.default_rng(3)
    bright: dict[float, list[float]] = {0.0: [], 1.0: []}
    for _ in range(200):
        crop, label = dataset.make_crop(rng)
        middle, rim = crop[24:40, 24:40].mean(), crop[:4].mean()
        bright[label].append(float(middle - rim))
    assert np.median(bright[1.0]) > 40
    assert np.median(bright[0.0]) < 20


def test_the_border_stays_gray_and_dark_crops_are_brightened() -> None:
    sample = disk_crop_sample(0)
    dark = replace(sample, image=(0.2 * sample.image).astype(np.uint8))
    augmentation = replace(ONLY, object_share=1.0, moved_ratio=2.0)
    dataset = CropDataset([dark], "face", augmentation, seed=0)
    rng = np.random.default_rng(0)
    crops = [dataset.make_crop(rng)[0] for _ in range(60)]
    shown = [(crop != BORDER_BGR).any(2) for crop in crops]
    assert min(one.mean() for one in shown) < 0.8
    lightest = [
        np.percentile(crop.max(2)[one], 97)
        for crop, one in zip(crops, shown, strict=True)
        if one.any()
    ]
    assert np.median(lightest) > 2 * np.percentile(dark.image, 97)


def test_without_false_alarms_there_are_other_crops() -> None:
    samples = [disk_crop_sample(0, alarms=())]
    dataset = CropDataset(samples, "face", replace(ONLY, false_alarm_share=1.0), seed=0)
    assert dataset.make_crop(np.random.default_rng(0))[1] == 1.0


def test_folders_with_a_share_of_0_are_never_shown() -> None:
    samples = [disk_crop_sample(0), replace(disk_crop_sample(1), share=0.0)]
    dataset = CropDataset(samples, "face", CropAugmentation(), seed=0)
    assert set(dataset.object_places[:, 0]) == set(dataset.alarm_places[:, 0]) == {0}


def test_a_crowd_is_not_drawn_as_often_as_it_is_large() -> None:
    crowd = [Box(10 * i, 0, 10 * i + 9, 9) for i in range(16)]
    sample = replace(SAMPLES[0], known=replace(SAMPLES[0].known, objects=_rows(crowd)))
    dataset = CropDataset([sample, SAMPLES[0]], "face", CropAugmentation(), seed=0)
    weights = dataset.object_weights.numpy()
    assert weights[:16].sum() == pytest.approx(4.0)
    assert weights[16:].sum() == pytest.approx(1.0)


def _rows(boxes: list[Box]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([box.as_tuple() for box in boxes])


def test_batches_are_of_crops_and_labels() -> None:
    dataset = CropDataset(SAMPLES, "face", CropAugmentation(), seed=0)
    batch = next(endless_crop_batches(dataset, 8, workers=0))
    assert batch.images.shape == (8, 3, 64, 64)
    assert batch.images.dtype == torch.uint8
    assert batch.labels.shape == (8,)
    assert set(batch.labels.tolist()) <= {0.0, 1.0}


def test_weights_that_mining_changes_decide_what_is_drawn() -> None:
    white = replace(SAMPLES[1], image=np.full_like(SAMPLES[1].image, 255))
    augmentation = replace(ONLY, false_alarm_share=1.0)
    dataset = CropDataset([SAMPLES[1], white], "face", augmentation, seed=0)
    assert dataset.alarm_places.tolist() == [[0, 0], [1, 0]]
    dataset.alarm_weights[:] = torch.tensor([0.0, 1.0], dtype=torch.float64)
    rng = np.random.default_rng(0)
    drawn = [dataset.make_crop(rng)[0][20:44, 20:44] for _ in range(20)]
    assert np.median([crop.mean() for crop in drawn]) > 150
