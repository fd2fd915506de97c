"""ONNX files of 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import onnx
import torch
from torch import nn

from tracker_blur.training.initial_weights import stored_convolutions
from tracker_blur.training.onnx_files import traced
from tracker_blur.training.quantizing import quantized, with_small_weights
from tracker_blur.weights.onnx_network import OnnxNetwork

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("seeded_torch")


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 48, 3),
        nn.ReLU(),
        nn.Conv2d(48, 64, 3),
        nn.ReLU(),
        nn.Conv2d(64, 8, 3),
    ).eval()


def inputs(count: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    rng = np.random.default_rng(count)
    return [rng.normal(0, 1, (1, 3, 16, 16)).astype(np.float32) for _ in range(count)]


@pytest.fixture
def content() -> bytes:
    return traced(network(), torch.zeros(1, 3, 16, 16), "in", ["out"], {})


def with_small_activations(content: bytes, metadata: dict[str, str]) -> bytes:
    return quantized(content, inputs(20), metadata)


@pytest.mark.parametrize(
    ("make_small", "largest"), [(with_small_activations, 0.02), (with_small_weights, 0.01)]
)
def test_it_computes_nearly_the_same_from_fewer_bytes(
    content: bytes, make_small: Callable[[bytes, dict[str, str]], bytes], largest: float
) -> None:
    small = make_small(content, {"who": "we"})
    assert len(small) < 0.5 * len(content)
    model = onnx.load_model_from_string(small)
    onnx.checker.check_model(model)
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("who", "we")]
    (values,) = inputs(1)
    before, after = (OnnxNetwork("a.onnx", file).run(values)[0] for file in (content, small))
    assert not np.array_equal(before, after)
    assert np.abs(after - before).max() < largest * np.ptp(before)


def test_a_training_can_start_with_it_and_both_ends_are_exact(
    content: bytes, tmp_path: Path
) -> None:
    files = tmp_path / "large.onnx", tmp_path / "small.onnx"
    for file, kept in zip(files, (content, quantized(content, inputs(2), {})), strict=True):
        file.write_bytes(kept)
    differences = [
        (float((one - other).abs().max() / one.abs().max()), float((bias - rounded).abs().max()))
        for (one, bias), (other, rounded) in zip(*map(stored_convolutions, files), strict=True)
    ]
    assert [0 < weights < 0.01 for weights, _ in differences] == [False, True, False]
    assert max(biases for _, biases in differences) < 1e-3


def test_a_training_can_start_with_small_weights(content: bytes, tmp_path: Path) -> None:
    files = tmp_path / "large.onnx", tmp_path / "small.onnx"
    for file, kept in zip(files, (content, with_small_weights(content, {})), strict=True):
        file.write_bytes(kept)
    for (weights, bias), (rounded, other) in zip(*map(stored_convolutions, files), strict=True):
        assert torch.allclose(rounded, weights, atol=0.006 * float(weights.abs().max()))
        assert torch.allclose(other, bias, rtol=0.001)
