"""The network's maps, and networks that start with the weights of another one."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import onnx
import torch

from tests.annotated_files import disk_image
from tests.training.tiny import TINY
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.initial_weights import (
    calibrate_normalization,
    load_initial_weights,
    stored_convolutions,
)
from tracker_blur.training.network import Network, NetworkShape
from tracker_blur.weights.onnx_network import OnnxNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = NetworkShape(1, (8, 8), (8, 16, 8), (0, 1, 0, 0), 8, 1)

pytestmark = pytest.mark.usefixtures("seeded_torch")


@pytest.fixture
def no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def images(count: int) -> torch.Tensor:
    pixels = np.stack([disk_image(seed, size=(96, 64)) for seed in range(count)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def test_the_maps_have_the_strides() -> None:
    maps = Network(replace(TINY, classes=2))(torch.zeros(2, 3, 64, 96))
    assert [tuple(output.shape) for output in maps] == [(2, 6, 8, 12), (2, 6, 4, 6), (2, 6, 2, 3)]


def test_scaled_shapes_have_channels_in_multiples_of_8() -> None:
    shape = NetworkShape(2).scaled(0.67)
    assert (shape.stem, shape.body, shape.neck) == ((8, 16), (32, 56, 64), 32)
    assert (shape.classes, shape.depth) == (2, NetworkShape().depth)
    assert NetworkShape(1).scaled(1.0) == NetworkShape(1)
    assert NetworkShape(1).scaled(0.01).neck == 8


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Network, Path]:
    """Return a network whose normalizations do something, and its file."""
    network = Network(SMALL)
    with torch.no_grad():
        for _ in range(20):
            network.train()(images(4).float())
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    path = tmp_path / "first.onnx"
    path.write_bytes(onnx_bytes(network, ["disk"]))
    return network.eval(), path


@pytest.mark.usefixtures("no_grad")
def test_a_network_computes_what_the_file_with_its_weights_does(
    trained: tuple[Network, Path],
) -> None:
    first, path = trained
    second, batch = Network(SMALL), images(6)
    load_initial_weights(second, ("disk",), path)
    expected = first(batch.float())
    loaded = second.eval()(batch.float())
    calibrate_normalization(second, [batch])
    calibrated = second(batch.float())
    # In training, normalizations take their statistics from the batch, here the calibrated ones.
    in_training = second.train()(batch.float())
    for maps in (loaded, calibrated, in_training):
        torch.testing.assert_close(maps, expected, atol=1e-4, rtol=1e-3)


def test_classes_that_the_file_lacks_keep_random_weights(trained: tuple[Network, Path]) -> None:
    first, path = trained
    second = Network(replace(SMALL, classes=2))
    random = [head[-1].weight[:2].clone() for head in second.heads]
    load_initial_weights(second, ("badge", "screen"), path)
    for old, new, before in zip(first.heads, second.heads, random, strict=True):
        torch.testing.assert_close(new[-1].weight[2:], old[-1].weight[1:])
        torch.testing.assert_close(new[-1].weight[:2], before)


@pytest.mark.usefixtures("no_grad")
def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    shape = replace(SMALL, classes=2)
    first = Network(shape)
    for head in first.heads:
        head[-1].bias.copy_(torch.arange(6))
    path = tmp_path / "first.onnx"
    path.write_bytes(onnx_bytes(first, ["badge", "screen"]))
    swapped, extended = Network(shape), Network(replace(SMALL, classes=3))
    load_initial_weights(swapped, ("screen", "badge"), path)
    random = extended.heads[0][-1].bias[1].item()
    load_initial_weights(extended, ("badge", "face", "screen"), path)
    for old, two, three in zip(first.heads, swapped.heads, extended.heads, strict=True):
        assert two[-1].bias.tolist() == [1, 0, 2, 3, 4, 5]
        assert three[-1].bias.tolist() == [0, random, 1, 2, 3, 4, 5]
        torch.testing.assert_close(three[-1].weight[[0, 2]], old[-1].weight[:2])


@pytest.mark.usefixtures("no_grad")
def test_a_head_that_strides_share_in_the_file_is_given_to_each(tmp_path: Path) -> None:
    first = Network(SMALL)
    for _ in range(20):
        first.train()(images(4).float())
    first.heads[1] = first.heads[2] = first.heads[0]
    path = tmp_path / "first.onnx"
    path.write_bytes(onnx_bytes(first, ["disk"]))
    nodes = onnx.load(str(path)).graph.node
    assert "Identity" in {node.op_type for node in nodes}  # how shared weights are written
    second, batch = Network(SMALL), images(4)
    load_initial_weights(second, ("disk",), path)
    calibrate_normalization(second, [batch])
    outputs = second.eval()(batch.float()), first.eval()(batch.float())
    for output, expected in zip(*outputs, strict=True):
        torch.testing.assert_close(output, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.usefixtures("no_grad")
def test_a_file_of_16_bits_is_run_and_started_with(trained: tuple[Network, Path]) -> None:
    """Earlier versions stored weights like that."""
    first, path = trained
    model = onnx.load(str(path))
    for tensor in list(model.graph.initializer):
        half = onnx.numpy_helper.to_array(tensor).astype(np.float16)
        model.graph.initializer.append(onnx.numpy_helper.from_array(half, f"{tensor.name}_16"))
        cast = onnx.helper.make_node("Cast", [f"{tensor.name}_16"], [tensor.name], to=1)
        model.graph.node.insert(0, cast)
        model.graph.initializer.remove(tensor)
    older = path.with_name("older.onnx")
    onnx.save(model, str(older))
    values = (images(1).float().numpy() - 127.5) / 64
    outputs = [OnnxNetwork(file.name, file.read_bytes()).run(values) for file in (path, older)]
    for output, expected in zip(*outputs, strict=True):
        np.testing.assert_allclose(output, expected, atol=0.02)
    second, batch = Network(SMALL), images(6)
    load_initial_weights(second, ("disk",), older)
    calibrate_normalization(second, [batch])
    for found, wanted in zip(second.eval()(batch.float()), first(batch.float()), strict=True):
        torch.testing.assert_close(found, wanted, atol=0.02, rtol=0.02)


def test_a_file_that_another_tool_rewrote_is_refused(trained: tuple[Network, Path]) -> None:
    model = onnx.load(str(trained[1]))
    graph = model.graph
    rewritten = trained[1].with_name("rewritten.onnx")
    first = next(node for node in graph.node if node.op_type == "Conv")
    weights = next(tensor for tensor in graph.initializer if tensor.name == first.input[1])
    constant = onnx.helper.make_node("Constant", [], [weights.name], value=weights)
    graph.initializer.remove(weights)
    graph.node.insert(0, constant)
    onnx.save(model, str(rewritten))
    with pytest.raises(ModelError, match=r"rewritten\.onnx: another tool has rewritten it"):
        load_initial_weights(Network(SMALL), ("disk",), rewritten)
    model = onnx.load(str(trained[1]))
    next(node for node in model.graph.node if node.op_type == "Conv").input.pop()
    onnx.save(model, str(rewritten))
    with pytest.raises(ModelError, match=r"rewritten\.onnx: another tool has rewritten it"):
        load_initial_weights(Network(SMALL), ("disk",), rewritten)
    model = onnx.load(str(trained[1]))
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    inputs = [first.input[1], first.input[2]]  # steps and scales, and no offset
    model.graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", inputs, ["weights"]))
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    first.input[1] = "weights"
    onnx.save(model, str(rewritten))
    with pytest.raises(ModelError, match=r"rewritten\.onnx: another tool has rewritten it"):
        stored_convolutions(rewritten)


@pytest.mark.parametrize(("batch", "most"), [(2, 2), (40, 16), (1000, 16)])
def test_calibration_takes_a_few_images_at_a_time(batch: int, most: int) -> None:
    network, sizes = Network(SMALL), []
    network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    batches = itertools.repeat(torch.zeros(batch, 3, 32, 32, dtype=torch.uint8))
    calibrate_normalization(network, batches)
    assert max(sizes) == most
    assert 192 <= sum(sizes) < 192 + batch


def test_a_network_of_another_shape_is_refused(trained: tuple[Network, Path]) -> None:
    with pytest.raises(SettingsError, match=r"first\.onnx: its network has another shape"):
        load_initial_weights(Network(NetworkShape().scaled(0.3)), ("disk",), trained[1])


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"no\.onnx"):
        load_initial_weights(Network(TINY), ("disk",), tmp_path / "no.onnx")
