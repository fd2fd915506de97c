"""Networks that ONNX Runtime runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest

from tracker_blur.errors import ModelError
from tracker_blur.weights.onnx_network import OnnxNetwork
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    import numpy.typing as npt

CONTENT = Weights(None).read("face.onnx")


def noise(rows: int, columns: int) -> npt.NDArray[np.float32]:
    values = np.random.default_rng(rows).normal(0, 1, (1, 3, rows, columns))
    return values.astype(np.float32)


def test_inputs_of_any_size_give_maps_of_three_strides() -> None:
    network = OnnxNetwork("face.onnx", CONTENT)
    assert network.output_names == tuple(f"trackblur2/{stride}/face" for stride in (8, 16, 32))
    for rows, columns in ((64, 96), (32, 32), (64, 96)):
        shapes = [output.shape for output in network.run(noise(rows, columns))]
        assert shapes == [(1, 5, rows // stride, columns // stride) for stride in (8, 16, 32)]


def test_threads_share_a_network() -> None:
    network = OnnxNetwork("face.onnx", CONTENT)
    expected = network.run(noise(64, 64))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(network.run(noise(64, 64)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for outputs in found:
        for one, other in zip(outputs, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("content", [b"", b"damaged", bytes(5000), CONTENT[:-5000]])
def test_a_damaged_file_is_a_model_error_of_one_line(
    content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match=r"^a\.onnx: ONNX Runtime cannot use this .*file again$"):
        OnnxNetwork("a.onnx", content)
    assert capfd.readouterr() == ("", "")


def test_an_input_of_the_wrong_shape_is_a_model_error() -> None:
    network = OnnxNetwork("face.onnx", CONTENT)
    with pytest.raises(ModelError, match=r"^face\.onnx: ONNX Runtime cannot use"):
        network.run(np.zeros((1, 4, 64, 64), np.float32))


def test_the_installed_release_has_nothing_that_sends_data() -> None:
    libraries = list(Path(onnxruntime.__file__).parent.joinpath("capi").glob("*.so*"))
    assert libraries
    assert not [path.name for path in libraries if b"events.data.microsoft" in path.read_bytes()]
