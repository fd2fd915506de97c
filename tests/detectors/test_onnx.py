"""Networks that `trackblur train` made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tracker_blur.detectors.onnx import from_content, network_input
from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_is_not_a_network_is_a_model_error() -> None:
    with pytest.raises(ModelError, match=r"my\.onnx: damaged, or not an ONNX file"):
        from_content("my.onnx", b"nothing")


@pytest.mark.shared
def test_a_network_that_we_did_not_train_is_a_model_error(shared: Path) -> None:
    content = Weights(shared / "models").read("centerface.onnx")
    with pytest.raises(ModelError, match="this network was not made by 'trackblur train'"):
        from_content("centerface.onnx", content)


@pytest.mark.parametrize("size", [(33, 17), (352, 640)])
def test_images_arenetwork_input_as_opencv_does(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    expected = cv2.dnn.blobFromImage(image, 1 / 64, mean=(127.5, 127.5, 127.5))
    found = network_input(image)[..., : size[0], : size[1]]
    np.testing.assert_array_equal(found, expected)
