"""What is particular about the networks of `trackblur train`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracker_blur.boxes import Box, Detection
from tracker_blur.detectors.onnx import Onnx, from_content, load
from tracker_blur.errors import ModelError
from tracker_blur.frames import Image
from tracker_blur.weights import Weights


def test_a_file_that_is_no_network_is_told() -> None:
    with pytest.raises(ModelError, match=r"my\.onnx: OpenCV .* cannot read this network"):
        from_content("my.onnx", b"nothing")


@pytest.mark.shared
def test_a_network_of_another_kind_is_told(shared: Path) -> None:
    content = Weights(shared / "models").read("centerface.onnx")
    with pytest.raises(ModelError, match="not a network that 'trackblur train' made"):
        from_content("centerface.onnx", content)


def test_small_finds_in_reduced_copies_are_left_to_the_larger_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look(self: Onnx, picture: Image, step: int, confidence: float) -> list[Detection]:
        if step == 0:
            return [Detection(Box(0, 0, 10, 10), 0.9)]
        return [Detection(Box(20, 20, 30, 30), 0.9), Detection(Box(50, 50, 90, 90), 0.9)]

    monkeypatch.setattr(Onnx, "_look", look)
    found = load(Weights()).detect(np.zeros((640, 640, 3), np.uint8), 0.5)
    assert {find.box.as_tuple() for find in found} == {(0, 0, 10, 10), (200, 200, 360, 360)}
