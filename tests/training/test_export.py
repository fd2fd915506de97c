"""The ONNX file that a network becomes, and which images it is validated on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import torch

from tests.annotated_files import disk_image
from tests.training.tiny import TINY
from tracker_blur.errors import SettingsError
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.export import onnx_bytes, validation_sample
from tracker_blur.training.network import MEAN, SCALE, Network

pytestmark = pytest.mark.usefixtures("seeded_torch")


def test_opencv_and_pytorch_agree() -> None:
    network = Network(TINY).eval()
    image = disk_image(3, size=(96, 64))
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None].float())
    net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_bytes(network, ["a"]), np.uint8))
    net.setInput(cv2.dnn.blobFromImage(image, SCALE, mean=(MEAN, MEAN, MEAN)))
    for stride, output in zip((8, 16, 32), expected, strict=True):
        found = net.forward(f"trackblur2/{stride}/a")
        np.testing.assert_allclose(found, output.numpy(), atol=1e-3)


@pytest.mark.parametrize("classes", [["a+b"], ["a/b"], ["a", "b"], []])
def test_class_names_that_the_file_cannot_hold_are_refused(classes: list[str]) -> None:
    with pytest.raises(SettingsError):
        onnx_bytes(Network(TINY), classes)


@pytest.mark.parametrize(("images", "count"), [(1, 1), (300, 300), (301, 151), (599, 300)])
def test_validation_uses_no_more_than_300_images(images: int, count: int) -> None:
    image = AnnotatedImage(Path("a.png"), (96, 64), ())
    assert len(validation_sample([image] * images)) == count
