"""Trainings that begin with the weights of another one."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
torch = pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

# What follows imports PyTorch itself, so the check must come before it (E402: .ruff.toml).
from tests.annotated_files import picture, write_table
from tracker_blur.cli.train import run_train
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.network import Network, Shape, measure, start

TINY = Shape(1, (8, 8), (8, 16, 8), (0, 1, 0, 0), 8, 1)
QUICK = ["--batch", "2", "--side", "64", "--workers", "0", "--width", "0.3", "--device", "cpu"]


def pictures(count: int) -> torch.Tensor:
    made = np.stack([picture(seed, size=(96, 64)) for seed in range(count)])
    return torch.from_numpy(made).permute(0, 3, 1, 2)


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Network, Path]:
    """Return a network whose normalizations do something, and its file."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = Network(TINY)
    with torch.no_grad():
        for _ in range(20):
            network.train()(pictures(4).float())
        for numbers in network.parameters():
            numbers.add_(0.05 * torch.randn_like(numbers))
    path = tmp_path / "first.onnx"
    path.write_bytes(onnx_bytes(network, ["disk"]))
    return network.eval(), path


@torch.no_grad()
def test_it_goes_on_from_what_the_file_computes(trained: tuple[Network, Path]) -> None:
    first, path = trained
    second, shown = Network(TINY), pictures(6)
    start(second, ("disk",), path)
    expected = first(shown.float())
    neutral = second.eval()(shown.float())
    measure(second, [shown])
    measured = second(shown.float())
    # In training, normalizations take their figures from the batch: those they were given.
    in_training = second.train()(shown.float())
    for maps in (neutral, measured, in_training):
        torch.testing.assert_close(maps, expected, atol=1e-4, rtol=1e-3)


def test_other_classes_are_learned_anew(trained: tuple[Network, Path]) -> None:
    first, path = trained
    second = Network(Shape(2, TINY.stem, TINY.body, TINY.depth, TINY.neck, TINY.tower))
    fresh = [head[-1].weight[:2].clone() for head in second.heads]
    start(second, ("badge", "screen"), path)
    for old, new, before in zip(first.heads, second.heads, fresh, strict=True):
        torch.testing.assert_close(new[-1].weight[2:], old[-1].weight[1:])
        torch.testing.assert_close(new[-1].weight[:2], before)


@torch.no_grad()
def test_classes_are_known_by_their_names(tmp_path: Path) -> None:
    shape = replace(TINY, classes=2)
    first = Network(shape)
    for head in first.heads:
        head[-1].bias.copy_(torch.arange(6))
    path = tmp_path / "first.onnx"
    path.write_bytes(onnx_bytes(first, ["badge", "screen"]))
    turned, more = Network(shape), Network(replace(TINY, classes=3))
    start(turned, ("screen", "badge"), path)
    fresh = more.heads[0][-1].bias[1].item()
    start(more, ("badge", "face", "screen"), path)
    for old, other, three in zip(first.heads, turned.heads, more.heads, strict=True):
        assert other[-1].bias.tolist() == [1, 0, 2, 3, 4, 5]
        assert three[-1].bias.tolist() == [0, fresh, 1, 2, 3, 4, 5]
        torch.testing.assert_close(three[-1].weight[[0, 2]], old[-1].weight[:2])


@torch.no_grad()
def test_heads_that_a_file_shares_are_given_to_all(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = Network(TINY)
    for _ in range(20):
        first.train()(pictures(4).float())
    first.heads[1] = first.heads[2] = first.heads[0]
    path = tmp_path / "first.onnx"
    path.write_bytes(onnx_bytes(first, ["disk"]))
    nodes = onnx.load(str(path)).graph.node
    assert "Identity" in {node.op_type for node in nodes}  # how what is shared is written
    second, shown = Network(TINY), pictures(4)
    start(second, ("disk",), path)
    measure(second, [shown])
    for mine, expected in zip(
        second.eval()(shown.float()), first.eval()(shown.float()), strict=True
    ):
        torch.testing.assert_close(mine, expected, atol=1e-4, rtol=1e-3)


def test_a_file_that_another_tool_rewrote_is_told(trained: tuple[Network, Path]) -> None:
    model = onnx.load(str(trained[1]))
    graph = model.graph
    written = trained[1].with_name("rewritten.onnx")
    first = next(node for node in graph.node if node.op_type == "Conv")
    weights = next(one for one in graph.initializer if one.name == first.input[1])
    constant = onnx.helper.make_node("Constant", [], [weights.name], value=weights)
    graph.initializer.remove(weights)
    graph.node.insert(0, constant)
    onnx.save(model, str(written))
    with pytest.raises(ModelError, match=r"rewritten\.onnx: another tool has rewritten it"):
        start(Network(TINY), ("disk",), written)
    model = onnx.load(str(trained[1]))
    next(node for node in model.graph.node if node.op_type == "Conv").input.pop()
    onnx.save(model, str(written))
    with pytest.raises(ModelError, match=r"rewritten\.onnx: another tool has rewritten it"):
        start(Network(TINY), ("disk",), written)


@pytest.mark.parametrize(("batch", "most"), [(2, 2), (40, 16), (1000, 16)])
def test_a_few_pictures_at_a_time_are_measured(batch: int, most: int) -> None:
    network, sizes = Network(TINY), []
    network.register_forward_pre_hook(lambda module, given: sizes.append(len(given[0])))
    measure(network, itertools.repeat(torch.zeros(batch, 3, 32, 32, dtype=torch.uint8)))
    assert max(sizes) == most
    assert 192 <= sum(sizes) < 192 + batch


def test_a_network_of_another_shape_is_told(trained: tuple[Network, Path]) -> None:
    with pytest.raises(SettingsError, match=r"first\.onnx: its network has another shape"):
        start(Network(Shape().scaled(0.3)), ("disk",), trained[1])


def test_a_file_that_is_no_network_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"no\.onnx"):
        start(Network(TINY), ("disk",), tmp_path / "no.onnx")


def test_a_whole_training_that_starts_with_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"{i}.png", "val" if i > 4 else "train", "disk", "24 16 48 40", "") for i in range(6)]
    data = write_table(tmp_path / "data", rows)
    words = [str(data), "--out", str(tmp_path), *QUICK]
    assert run_train([*words, "--name", "one", "--steps", "2"]) == 0
    begun = ["--name", "two", "--start", str(tmp_path / "one.onnx")]
    assert run_train([*words, *begun, "--steps", "1"]) == 0
    one = (tmp_path / "one.onnx").read_bytes()
    assert (
        f"It began with the weights of one.onnx (SHA-256 `{hashlib.sha256(one).hexdigest()}`): what"
    ) in (tmp_path / "two.md").read_text(encoding="utf-8")
    assert run_train([*words, *begun, "--steps", "2"]) == 0
    capsys.readouterr()
    assert run_train([*words, "--name", "two", "--steps", "3"]) == 2
    assert (
        "was begun with other weights to start with: go on with the same" in capsys.readouterr().err
    )
    for name in ("one", "two"):  # whether it goes on or not
        itself = str(tmp_path / f"{name}.onnx")
        assert run_train([*words, "--name", name, "--start", itself, "--steps", "4"]) == 2
        assert f"{name}.onnx: the result would replace it" in capsys.readouterr().err
    assert (tmp_path / "one.onnx").read_bytes() == one
    assert run_train([*words, "--name", "six", "--start", str(tmp_path / "none.onnx")]) == 1
    error = capsys.readouterr().err
    assert "none.onnx: cannot read these weights" in error
    assert len(error.splitlines()) == 1
