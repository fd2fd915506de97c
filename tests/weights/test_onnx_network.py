"""Networks that ONNX Runtime runs."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import cv2
import numpy as np
import onnxruntime
import pytest

from tracker_blur.errors import ModelError
from tracker_blur.processes import python_environment
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


@pytest.mark.parametrize("cores", [1, 4, 16])
def test_outputs_are_the_same_however_many_cores_there_are(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "getNumThreads", lambda: 2)
    network = OnnxNetwork("face.onnx", CONTENT)
    monkeypatch.setattr(cv2, "getNumThreads", lambda: cores)
    same = OnnxNetwork("face.onnx", CONTENT)
    for values in (noise(384, 640), noise(736, 1280)):
        for one, other in zip(same.run(values), network.run(values), strict=True):
            np.testing.assert_array_equal(one, other)


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
    problem = r"^face\.onnx: ONNX Runtime cannot run .*: name one that 'trackblur train' made$"
    with pytest.raises(ModelError, match=problem):
        network.run(np.zeros((1, 4, 64, 64), np.float32))


def test_too_little_memory_is_not_taken_for_a_wrong_file(monkeypatch: pytest.MonkeyPatch) -> None:
    network = OnnxNetwork("face.onnx", CONTENT)
    full = mock.Mock(side_effect=MemoryError)
    monkeypatch.setattr(network, "_session", mock.Mock(run=full))
    with pytest.raises(MemoryError):
        network.run(noise(32, 32))
    monkeypatch.setattr(onnxruntime, "InferenceSession", full)
    with pytest.raises(MemoryError):
        OnnxNetwork("face.onnx", CONTENT)


def test_nothing_is_sent_and_what_the_import_prints_is_not_seen(tmp_path: Path) -> None:
    """On some machines it warns of graphics devices: a stand-in does that here."""
    (tmp_path / "onnxruntime.py").write_text(
        "import os\n"
        "os.write(2, b'GPU device discovery failed')\n"
        "def disable_telemetry_events():\n"
        "    os.write(2, os.environ['ORT_DISABLE_TELEMETRY'].encode() + b' disabled ')\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from tracker_blur.weights.onnx_network import runtime\n"
        "assert runtime() is runtime()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=python_environment(), capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "1 disabled 1 disabled ")


def test_the_installed_release_has_nothing_that_sends_data() -> None:
    libraries = list(Path(onnxruntime.__file__).parent.joinpath("capi").glob("*.so*"))
    assert libraries
    assert not [path.name for path in libraries if b"events.data.microsoft" in path.read_bytes()]
