"""What is particular about the networks of `trackblur train`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.detectors.onnx import from_content
from tracker_blur.errors import ModelError
from tracker_blur.weights import Weights


def test_a_file_that_is_no_network_is_told() -> None:
    with pytest.raises(ModelError, match=r"my\.onnx: OpenCV .* cannot read this network"):
        from_content("my.onnx", b"nothing")


@pytest.mark.shared
def test_a_network_of_another_kind_is_told(shared: Path) -> None:
    content = Weights(shared / "models").read("centerface.onnx")
    with pytest.raises(ModelError, match="not a network that 'trackblur train' made"):
        from_content("centerface.onnx", content)
