"""ONNX files with weights of 16 bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import onnx
import torch

from tracker_blur.training.onnx_files import compacted, traced


@pytest.mark.usefixtures("seeded_torch")
def test_opencv_computes_the_same_from_half_the_bytes() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3), torch.nn.Conv2d(64, 32, 3)).eval()
    content = traced(network, torch.zeros(1, 3, 16, 16), "in", ["out"], {})
    small = compacted(content, {"who": "we"})
    assert len(small) < 0.6 * len(content)
    model = onnx.load_model_from_string(small)
    onnx.checker.check_model(model)
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("who", "we")]
    values = np.random.default_rng(0).normal(0, 1, (1, 3, 16, 16)).astype(np.float32)
    outputs = []
    for file in (content, small):
        net = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
        net.setInput(values)
        outputs.append(np.asarray(net.forward()))
    np.testing.assert_allclose(outputs[1], outputs[0], atol=2e-3)
    assert not np.array_equal(outputs[1], outputs[0])
