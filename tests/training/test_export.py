"""The ONNX file that a network becomes, and which images it is validated on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import torch

from tests.annotated_files import disk_image
from tests.training.tiny import TINY
from tracker_blur.detectors.onnx import network_input
from tracker_blur.errors import SettingsError
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.export import evenly_spread, onnx_bytes
from tracker_blur.training.network import STRIDES, Network
from tracker_blur.weights.onnx_network import OnnxNetwork

pytestmark = pytest.mark.usefixtures("seeded_torch")


def test_the_file_computes_what_pytorch_does() -> None:
    network = Network(TINY).eval()
    image = disk_image(3, size=(96, 64))
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None].float())
    file = OnnxNetwork("a.onnx", onnx_bytes(network, ["a"]))
    assert file.output_names == tuple(f"trackblur2/{stride}/a" for stride in STRIDES)
    for found, output in zip(file.run(network_input(image)), expected, strict=True):
        np.testing.assert_allclose(found, output.numpy(), atol=1e-3)


@pytest.mark.parametrize("classes", [["a+b"], ["a/b"], ["a", "b"], []])
def test_class_names_that_the_file_cannot_hold_are_refused(classes: list[str]) -> None:
    with pytest.raises(SettingsError):
        onnx_bytes(Network(TINY), classes)


@pytest.mark.parametrize(("images", "count"), [(1, 1), (300, 300), (301, 151), (599, 300)])
def test_no_more_than_300_images_are_used(images: int, count: int) -> None:
    image = AnnotatedImage(Path("a.png"), (96, 64), ())
    assert len(evenly_spread([image] * images, 300)) == count
