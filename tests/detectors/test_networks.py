"""Loading networks into OpenCV, the Caffe importer above all, with a pair of real Caffe files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.detectors.face_images import portrait
from tracker_blur.detectors._networks import read_caffe, read_tensorflow
from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GRAPH, CONTENT = "RFB-320.prototxt", "RFB-320.caffemodel"


def face_probabilities(network: cv2.dnn.Net) -> npt.NDArray[np.float32]:
    """Return the face probabilities of Ultra-Light RFB-320 for its 4420 anchors in the portrait."""
    network.setInput(cv2.dnn.blobFromImage(portrait(), 1 / 128, (320, 240), (127,) * 3, True))
    return np.asarray(network.forward("scores"), np.float32).reshape(-1, 2)[:, 1]


@pytest.mark.shared
def test_a_caffe_network_returns_the_same_as_its_onnx_version(shared: Path) -> None:
    folder = shared / "models"
    caffe = face_probabilities(read_caffe(Weights(folder), GRAPH, CONTENT))
    onnx = face_probabilities(cv2.dnn.readNetFromONNX(str(folder / "version-RFB-320.onnx")))
    assert caffe.size == 4420
    assert caffe.max() > 0.99
    np.testing.assert_allclose(caffe, onnx, atol=1e-3)


@pytest.mark.shared
def test_the_graph_of_the_caffe_ssd_can_be_read(shared: Path) -> None:
    graph = Weights(shared / "models").read("deploy.prototxt")
    network = cv2.dnn.readNetFromCaffe(np.frombuffer(graph, np.uint8))
    assert network.getUnconnectedOutLayersNames() == ("detection_out",)


def changed(change: Callable[[bytes], bytes], name: str, source: Path, folder: Path) -> Weights:
    """Return weights in which one of the two Caffe files is changed."""
    for each in (GRAPH, CONTENT):
        content = (source / each).read_bytes()
        (folder / each).write_bytes(change(content) if each == name else content)
    return Weights(folder)


@pytest.mark.shared
@pytest.mark.parametrize("name", [GRAPH, CONTENT])
@pytest.mark.parametrize(
    "change",
    [lambda content: content[: len(content) // 2], lambda content: b"<html>Not Found</html>"],
    ids=["truncated", "replaced"],
)
def test_a_damaged_caffe_file_is_a_model_error(
    change: Callable[[bytes], bytes], name: str, shared: Path, tmp_path: Path
) -> None:
    weights = changed(change, name, shared / "models", tmp_path)
    with pytest.raises(ModelError, match=r"RFB-320.*cannot use this network") as caught:
        read_caffe(weights, GRAPH, CONTENT)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_nonsense_is_a_model_error_in_every_format(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "graph").write_bytes(content)
    (tmp_path / "weights").write_bytes(content)
    with pytest.raises(ModelError, match="cannot use this network"):
        read_caffe(Weights(tmp_path), "graph", "weights")
    with pytest.raises(ModelError, match="cannot use this network"):
        read_tensorflow(Weights(tmp_path), "weights", "graph")
