"""Networks that `trackblur train` made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tracker_blur.detectors.onnx import from_content, network_input
from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image


BLANK: Image = np.zeros((64, 64, 3), np.uint8)


def test_a_file_that_is_not_a_network_is_a_model_error() -> None:
    with pytest.raises(ModelError, match=r"my\.onnx: damaged, or not an ONNX file"):
        from_content("my.onnx", b"nothing")


@pytest.mark.shared
def test_a_network_that_we_did_not_train_is_a_model_error(shared: Path) -> None:
    content = Weights(shared / "models").read("centerface.onnx")
    with pytest.raises(ModelError, match="this network was not made by 'trackblur train'"):
        from_content("centerface.onnx", content)


def test_a_verifier_is_no_detector() -> None:
    with pytest.raises(ModelError, match=r"^my\.onnx: this network judges detections"):
        from_content("my.onnx", Weights().read("verify.onnx"))


def network(name: str, channels: int = 5, *, offset: float = 0.0, cell_px: int = 8) -> bytes:
    """Return a network with one output map, which is `offset` everywhere."""
    onnx = pytest.importorskip("onnx", reason="onnx (the extra 'test') is not installed")
    helper, float_type = onnx.helper, onnx.TensorProto.FLOAT
    sides = [cell_px, cell_px]
    nodes = [
        helper.make_node("AveragePool", ["in"], ["cells"], kernel_shape=sides, strides=sides),
        helper.make_node("Conv", ["cells", "weights", "offsets"], [name]),
    ]
    graph = helper.make_graph(
        nodes,
        "map",
        [helper.make_tensor_value_info("in", float_type, (1, 3, "rows", "columns"))],
        [helper.make_tensor_value_info(name, float_type, (1, channels, "y", "x"))],
        [
            helper.make_tensor("weights", float_type, (channels, 3, 1, 1), [0.0] * 3 * channels),
            helper.make_tensor("offsets", float_type, (channels,), [offset] * channels),
        ],
    )
    opsets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, ir_version=8, opset_imports=opsets)
    return bytes(model.SerializeToString())


def test_a_network_like_ours_is_taken() -> None:
    found = from_content("my.onnx", network("trackblur2/8/disk")).detect(BLANK, 0.4)
    assert {each.label for each in found} == {"disk"}


@pytest.mark.parametrize(
    ("name", "other", "problem"),
    [
        ("trackblur2/8/disk", {"offset": float("nan")}, "its answers are no numbers"),
        ("trackblur2/8/disk", {"offset": float("-inf")}, "its answers are no numbers"),
        ("trackblur2/8/disk", {"channels": 4}, "not made by 'trackblur train'"),
        ("trackblur2/8/disk", {"cell_px": 16}, "not made by 'trackblur train'"),
        ("trackblur2/8/disk+ring", {}, "not made by 'trackblur train'"),
        ("trackblur2/0/disk", {}, "not made by 'trackblur train'"),
        ("trackblur2/²/disk", {}, "not made by 'trackblur train'"),
        (f"trackblur2/{'8' * 5000}/disk", {}, "not made by 'trackblur train'"),
    ],
)
def test_a_network_that_only_looks_like_ours_is_a_model_error_of_one_line(
    name: str, other: dict[str, Any], problem: str
) -> None:
    """One whose answers are no numbers detected nothing, so nothing was hidden."""
    with pytest.raises(ModelError, match=rf"^my\.onnx: .*{problem}.*$"):
        from_content("my.onnx", network(name, **other)).detect(BLANK, 0.4)


@pytest.mark.parametrize("size", [(33, 17), (352, 640)])
def test_images_become_what_opencv_makes_of_them_padded_with_black(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    rows, columns = size
    padded: Image = np.zeros((-(-rows // 32) * 32, -(-columns // 32) * 32, 3), np.uint8)
    padded[:rows, :columns] = image
    expected = cv2.dnn.blobFromImage(padded, 1 / 64, mean=(127.5, 127.5, 127.5))
    np.testing.assert_array_equal(network_input(image), expected)
