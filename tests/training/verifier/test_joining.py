"""Two verifiers in one file answer with their mean, and a training starts with the newer one."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import torch

from tests.annotated_files import disk_image
from tracker_blur.classifiers import CropClassifier
from tracker_blur.core.box import Box
from tracker_blur.training.verifier.calibration import Calibration
from tracker_blur.training.verifier.export import verifier_bytes
from tracker_blur.training.verifier.joining import joined
from tracker_blur.training.verifier.network import (
    VerifierNetwork,
    VerifierShape,
    load_verifier_weights,
)
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

BOXES = [Box(24, 16, 48, 40), Box(0, 0, 20, 20)]


def network(seed: int) -> VerifierNetwork:
    torch.manual_seed(seed)
    return VerifierNetwork(VerifierShape().scaled(0.3)).eval()


def test_the_answer_is_the_mean_and_the_newer_one_is_started_with(tmp_path: Path) -> None:
    new, start = (
        verifier_bytes(network(seed), "face", Calibration(2.0, seed), 0) for seed in (1, 2)
    )
    both = joined(new, start)
    answers = [
        CropClassifier("v.onnx", content).log_odds(disk_image(), BOXES)
        for content in (new, start, both)
    ]
    assert answers[2] == pytest.approx((answers[0] + answers[1]) / 2, abs=1e-4)
    assert answers[0] != pytest.approx(answers[1], abs=1e-2)
    file = tmp_path / "all.onnx"
    file.write_bytes(joined(new, both))
    loaded = network(3)
    load_verifier_weights(loaded, file)
    again = verifier_bytes(loaded, "face", Calibration(1.0, 0.0), 0)
    assert CropClassifier("v.onnx", again).log_odds(disk_image(), BOXES) == pytest.approx(
        answers[0], abs=0.02
    )


def test_a_verifier_of_another_kind_can_be_joined() -> None:
    new = verifier_bytes(network(1), "plate", Calibration(2.0, 1.0), 0)
    other = Weights(None).read("verify_plate.onnx")
    answers = [
        CropClassifier("v.onnx", content).log_odds(disk_image(), BOXES)
        for content in (new, other, joined(new, other))
    ]
    assert answers[2] == pytest.approx((answers[0] + answers[1]) / 2, abs=1e-4)
