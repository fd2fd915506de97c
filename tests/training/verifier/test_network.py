"""The verifier's network, its file, and networks that start with the weights of another one."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

import json
from typing import TYPE_CHECKING

import onnx
import torch
from onnx import TensorProto

from tests.annotated_files import disk_image
from tests.training.tiny import TINY
from tests.training.verifier.samples import DISK
from tracker_blur.classifiers import CropClassifier
from tracker_blur.classifiers.crops import crop
from tracker_blur.errors import SettingsError
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.initial_weights import calibrate_normalization
from tracker_blur.training.network import Network
from tracker_blur.training.verifier.calibration import Calibration
from tracker_blur.training.verifier.export import calibrated, verifier_bytes
from tracker_blur.training.verifier.network import (
    VerifierNetwork,
    VerifierShape,
    load_verifier_weights,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image


pytestmark = pytest.mark.usefixtures("seeded_torch")

SMALL = VerifierShape(8, (8, 8, 8, 16, 16), (1, 2, 1, 1, 1))


def some_network(shape: VerifierShape = SMALL) -> VerifierNetwork:
    """Return a network that has seen some images, so that its normalizations do something."""
    network = VerifierNetwork(shape)
    network.train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.randint(0, 256, (16, 3, 64, 64)).float())
    return network.eval()


def answer(network: VerifierNetwork, image: Image) -> float:
    with torch.no_grad():
        return float(network(torch.from_numpy(image).permute(2, 0, 1)[None].float()))


def test_the_default_network_is_the_one_of_the_papers_size() -> None:
    network = VerifierNetwork(VerifierShape())
    assert sum(parameter.numel() for parameter in network.parameters()) == 702_561
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 1)
    assert VerifierShape().scaled(1.0) == VerifierShape()
    half = VerifierShape().scaled(0.5)
    assert (half.stem, half.channels, half.depth) == (16, (8, 16, 16, 40, 56), (1, 2, 2, 3, 3))


def test_the_program_computes_what_pytorch_does() -> None:
    network, image = some_network(), disk_image(0, (DISK,), (160, 120))
    calibration = Calibration(2.0, -3.0)
    content = verifier_bytes(network, "disk", calibration, 40)
    (found,) = CropClassifier("x.onnx", content).log_odds(image, [DISK])
    expected = 2.0 * answer(network, crop(image, DISK)) - 3.0
    assert found == pytest.approx(expected, abs=0.02)
    assert answer(calibrated(network, calibration), crop(image, DISK)) == pytest.approx(expected)


def test_the_file_says_what_it_is_and_is_small() -> None:
    network = some_network(VerifierShape())
    content = verifier_bytes(network, "disk", Calibration(1.5, 0.25), 40)
    assert len(content) < 850_000
    model = onnx.load_model_from_string(content)
    small = [tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.INT8]
    assert len(small) == 32  # of 34: the last one, and one of 288 weights, are as they were
    onnx.checker.check_model(model)
    stated = {entry.key: entry.value for entry in model.metadata_props}
    assert (stated["trackblur.task"], stated["trackblur.class"]) == ("verify", "disk")
    assert json.loads(stated["trackblur.calibration"]) == {
        "scale": 1.5,
        "offset": 0.25,
        "crops": 40,
        "prior_odds": 5.0,
    }
    assert [output.name for output in model.graph.output] == ["trackblur_verifier1/disk"]
    assert not [node for node in model.graph.node if node.op_type == "BatchNormalization"]


def test_a_class_that_the_file_cannot_hold_is_refused() -> None:
    with pytest.raises(SettingsError):
        verifier_bytes(some_network(), "a/b", Calibration(), 0)


def test_a_network_starts_with_the_weights_of_a_file(tmp_path: Path) -> None:
    network = some_network()
    file = tmp_path / "first.onnx"
    file.write_bytes(verifier_bytes(network, "disk", Calibration(), 0))
    second = VerifierNetwork(SMALL)
    load_verifier_weights(second, file)
    image = crop(disk_image(0, (DISK,), (160, 120)), DISK)
    expected = answer(network, image)
    assert answer(second.eval(), image) == pytest.approx(expected, abs=0.02)
    crops = torch.randint(0, 256, (32, 3, 64, 64), dtype=torch.uint8)
    calibrate_normalization(second, [crops])
    assert answer(second.eval(), image) == pytest.approx(expected, abs=0.05)


def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    detector, wider = tmp_path / "detector.onnx", tmp_path / "wider.onnx"
    detector.write_bytes(onnx_bytes(Network(TINY), ["disk"]))
    wider.write_bytes(verifier_bytes(some_network(SMALL.scaled(2.0)), "disk", Calibration(), 0))
    for file in (detector, wider):
        with pytest.raises(SettingsError, match="its network has another shape"):
            load_verifier_weights(VerifierNetwork(SMALL), file)
