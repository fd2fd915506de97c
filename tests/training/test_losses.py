"""Which cells learn which objects, and what is learned nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import torch

from tests.annotated_files import disk_image
from tests.training.samples import disk_sample
from tests.training.tiny import TINY
from tracker_blur.core.box import Box
from tracker_blur.detectors.onnx import from_content
from tracker_blur.training.data import collate
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.losses import assign_targets, decode_predictions, detection_loss, iou
from tracker_blur.training.network import Network

pytestmark = pytest.mark.usefixtures("seeded_torch")


def test_an_object_is_assigned_to_cells_near_its_center() -> None:
    predictions = decode_predictions(Network(TINY)(torch.zeros(1, 3, 128, 128)))
    sample = disk_sample(Box(30, 30, 46, 46), Box(10, 10, 118, 118), size=(128, 128))
    targets = collate([sample]).targets
    pairs = assign_targets(predictions, targets)
    assert set(pairs.target.tolist()) == {0, 1}
    for cell, target in zip(pairs.cell.tolist(), pairs.target.tolist(), strict=True):
        box = targets.boxes[target]
        center = (box[:2] + box[2:]) / 2
        distance = (predictions.centers[cell] - center).abs().max()
        assert distance <= 1.5 * predictions.strides[cell]


def test_a_cell_learns_one_object_at_most() -> None:
    predictions = decode_predictions(Network(TINY)(torch.zeros(1, 3, 64, 64)))
    boxes = [Box(20 + i, 20, 40 + i, 40) for i in range(12)]
    targets = collate([disk_sample(*boxes, size=(64, 64))]).targets
    pairs = assign_targets(predictions, targets)
    assert len(set(pairs.cell.tolist())) == len(pairs.cell)


def test_ignored_regions_have_no_loss() -> None:
    predictions = decode_predictions(
        tuple(torch.zeros(1, 5, 64 // stride, 64 // stride) for stride in (8, 16, 32))
    )
    empty = disk_sample(size=(64, 64))
    losses = []
    for regions in ([], [(0, 0, 32, 64)], [(0, 0, 64, 64)]):
        ignored = np.array(regions, np.float32).reshape(-1, 4)
        targets = collate([replace(empty, ignored=ignored)]).targets
        scores, boxes = detection_loss(predictions, targets, assign_targets(predictions, targets))
        losses.append(float(scores))
        assert float(boxes) == 0.0
    assert losses[1] == pytest.approx(losses[0] / 2)
    assert losses[2] == 0.0


@pytest.mark.parametrize("certainty", [0.4, 1.0])
def test_scores_settle_at_the_certainty_of_an_object(certainty: float) -> None:
    sample = disk_sample(Box(24, 24, 40, 40), size=(64, 64))
    targets = collate([replace(sample, certainties=np.array([certainty], np.float32))]).targets
    maps = tuple(torch.zeros(1, 5, 64 // stride, 64 // stride) for stride in (8, 16, 32))
    exact = replace(decode_predictions(maps), boxes=targets.boxes[None].repeat(1, 84, 1))
    pairs = assign_targets(exact, targets)
    logits = exact.logits.requires_grad_()
    scores, boxes = detection_loss(exact, targets, pairs)
    assert float(boxes) == pytest.approx(0.0, abs=1e-6)
    scores.backward()
    assert logits.grad is not None
    assert (logits.grad[0, pairs.cell] < 0).all() == (certainty > 0.5)
    settled = exact.logits.detach().clone()
    settled[0, pairs.cell] = torch.logit(torch.tensor(certainty), eps=1e-6)
    settled.requires_grad_()
    detection_loss(replace(exact, logits=settled), targets, pairs)[0].backward()
    assert settled.grad is not None
    assert settled.grad[0, pairs.cell].abs().max() < 1e-5


def test_boxes_count_as_much_as_they_are_certain() -> None:
    disks = Box(8, 8, 24, 24), Box(40, 40, 56, 56)
    maps = tuple(torch.zeros(1, 5, 64 // stride, 64 // stride) for stride in (8, 16, 32))
    predictions = decode_predictions(maps)
    losses = []
    for certainty in (1.0, 0.5, 0.0):
        certainties = np.array([1.0, certainty], np.float32)
        sample = replace(disk_sample(*disks, size=(64, 64)), certainties=certainties)
        targets = collate([sample]).targets
        pairs = assign_targets(predictions, targets)
        predicted = predictions.boxes[pairs.image, pairs.cell]
        quality = iou(predicted, targets.boxes[pairs.target]).sqrt()
        total = (quality * targets.certainty[pairs.target]).sum().clamp(min=1)
        losses.append(float(detection_loss(predictions, targets, pairs)[1] * total))
    assert losses[0] - losses[1] == pytest.approx(losses[1] - losses[2], rel=1e-4)
    assert losses[0] > losses[2] > 0


@pytest.mark.slow
def test_a_network_learns_an_image_and_the_detector_detects_its_object() -> None:
    disk = Box(40, 40, 70, 70)
    batch = collate([disk_sample(disk, size=(128, 128), seed=i) for i in range(2)])
    network = Network(TINY)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    for step in range(220):
        optimizer.param_groups[0]["lr"] = 0.02 if step < 130 else 0.001
        predictions = decode_predictions(network(batch.images.float()))
        pairs = assign_targets(predictions, batch.targets)
        optimizer.zero_grad()
        sum(detection_loss(predictions, batch.targets, pairs)).backward()
        optimizer.step()
    detector = from_content("disk.onnx", onnx_bytes(network, ["disk"]))
    detections = detector.detect(disk_image(0, (disk,), (128, 128)), 0.2)
    best = max(detections, key=lambda detection: detection.score)
    assert best.label == "disk"
    assert best.box.iou(disk) > 0.6
