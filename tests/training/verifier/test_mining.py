"""Crops that the network gets wrong are drawn more often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import torch

from tests.training.verifier.crop_samples import disk_crop_sample, empty_crop_sample
from tests.training.verifier.samples import ALARM
from tracker_blur.training.recipe import CropAugmentation
from tracker_blur.training.verifier.crops import CropDataset
from tracker_blur.training.verifier.mining import HardExampleMiner
from tracker_blur.training.verifier.network import VerifierNetwork, VerifierShape
from tracker_blur.training.verifier.validation import Validator

pytestmark = pytest.mark.usefixtures("seeded_torch")

CPU = torch.device("cpu")


def network_that_says(answer: float) -> VerifierNetwork:
    network = VerifierNetwork(VerifierShape().scaled(0.1))
    torch.nn.init.zeros_(network.answer[-1].weight)
    torch.nn.init.constant_(network.answer[-1].bias, answer)
    return network.train()


def test_what_is_surely_an_object_is_mined_only_in_images_without_any() -> None:
    samples = [disk_crop_sample(0), empty_crop_sample(1)]
    dataset = CropDataset(samples, "face", CropAugmentation(), seed=0)
    miner = HardExampleMiner(samples, dataset, CPU, seed=0)
    surely_an_object = network_that_says(20.0)
    miner.search(surely_an_object)
    assert surely_an_object.training
    np.testing.assert_allclose(dataset.alarm_weights.numpy(), [1.0, 4.0], atol=1e-3)
    np.testing.assert_allclose(dataset.object_weights.numpy(), [1.0], atol=1e-3)
    miner.search(network_that_says(-20.0))
    np.testing.assert_allclose(dataset.alarm_weights.numpy(), [1.0, 1.0], atol=1e-3)
    np.testing.assert_allclose(dataset.object_weights.numpy(), [4.0], atol=1e-3)
    miner.search(network_that_says(0.0))
    np.testing.assert_allclose(dataset.alarm_weights.numpy(), [2.5, 2.5], atol=1e-3)
    np.testing.assert_allclose(dataset.object_weights.numpy(), [2.5], atol=1e-3)


@pytest.mark.parametrize(("answer", "is_mined"), [(2.9, True), (3.1, False)])
def test_next_to_objects_only_false_alarms_that_leave_a_doubt_are_mined(
    answer: float, is_mined: bool
) -> None:
    samples = [disk_crop_sample(0), empty_crop_sample(1)]
    dataset = CropDataset(samples, "face", CropAugmentation(), seed=0)
    HardExampleMiner(samples, dataset, CPU, seed=0).search(network_that_says(answer))
    near, in_empty = dataset.alarm_weights.tolist()
    assert in_empty > 3.8
    assert near == (in_empty if is_mined else 1.0)


def test_no_false_alarm_is_mined_where_objects_may_be_unlabeled() -> None:
    sample = disk_crop_sample(0)
    samples = [replace(sample, known=replace(sample.known, is_complete=False))]
    dataset = CropDataset(samples, "face", CropAugmentation(), seed=0)
    HardExampleMiner(samples, dataset, CPU, seed=0).search(network_that_says(0.0))
    np.testing.assert_allclose(dataset.alarm_weights.numpy(), [1.0])


def test_validation_takes_a_few_boxes_of_each_image_as_they_are() -> None:
    samples = [disk_crop_sample(0), empty_crop_sample(1, alarms=(ALARM,) * 40)]
    validator = Validator(samples, CPU)
    assert validator.is_object.tolist() == [True, False] + [False] * 6
    figures = validator.figures(network_that_says(1.0).eval())
    assert figures == {"auc": 0.5, "false_positives": 1.0}
    assert validator.answers(network_that_says(1.0)).tolist() == [1.0] * 8


def test_places_that_look_like_objects_are_mined_and_shown() -> None:
    samples = [disk_crop_sample(0), empty_crop_sample(1)]
    only = CropAugmentation(object_share=0.0, redacted_share=0.0, false_alarm_share=1.0)
    dataset = CropDataset(samples, "face", replace(only, mined_share=1.0), seed=0)
    miner = HardExampleMiner(samples, dataset, CPU, seed=0)
    miner.search(network_that_says(-20.0))
    assert not dataset.mined.any()
    miner.search(network_that_says(20.0))
    known = dataset.mined[dataset.mined.any(1)]
    assert len(known) == 1500
    assert set(known[:, 0].tolist()) == {1.0}  # never in images with objects
    assert (known[:, 3:] > known[:, 1:3]).all()
    dataset.mined[:] = torch.tensor([1.0, 0, 0, 160, 120])
    _, label = dataset.make_crop(np.random.default_rng(0))
    assert label == 0.0
