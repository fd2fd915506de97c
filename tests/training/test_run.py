"""Whole trainings: what they write, and what stops them before they write anything."""

from __future__ import annotations

import hashlib
import re
import stat

import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import onnx
import torch
from onnx import TensorProto

from tests.annotated_files import BOX, SIZE, disk_image, write_image, write_table
from tests.command_line import run_train
from tests.training.tiny import QUICK
from tracker_blur.detectors.onnx import from_content
from tracker_blur.training import checkpoints
from tracker_blur.training.data import load_samples
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.network import Network, NetworkShape
from tracker_blur.training.recipe import Recipe
from tracker_blur.training.run import write_curves
from tracker_blur.training.sheets import contact_sheet, write_jpeg

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("seeded_torch")


@pytest.mark.slow
def test_a_training_and_a_longer_one(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(dataset), "--name", "disk", "--out", str(tmp_path), *QUICK]
    arguments += ["--share", "disks=2", "--outline", "rectangle", "--upright", "--turned", "0.5"]
    arguments += ["--widen", "1,1.5"]
    write_image(dataset / "disks" / "low.png", disk_image(1, (), (96, 6)))  # nothing to cut out
    with (dataset / "labels.csv").open("a", encoding="utf-8") as table:
        table.write("disks/low.png,train,96,6,disk,,\n")
    assert run_train([*arguments, "--steps", "2"]) == 0
    card = (tmp_path / "disk.md").read_text(encoding="utf-8")
    assert "- batches: 2\n- asked for: 2 batches\n" in card
    assert "It started with random weights." in card
    first = (tmp_path / "disk.onnx").read_bytes()
    assert from_content("disk.onnx", first).labels == ("disk",)
    # Of so narrow a network, the convolutions of 32 channels alone have 8 bits.
    graph = onnx.load_model_from_string(first).graph
    shapes = {
        tuple(tensor.dims) for tensor in graph.initializer if tensor.data_type == TensorProto.INT8
    }
    assert {shape[1] for shape in shapes if len(shape) == 4} == {32}
    parameters = re.search("([0-9]+) parameters, ([0-9]+) bytes", card)
    assert parameters is not None
    assert int(parameters[2]) == len(first) < 6 * int(parameters[1])
    assert "before it was rounded to 8 bits" in card
    assert run_train([*arguments, "--steps", "3"]) == 0
    out = capsys.readouterr().out
    assert "train: 11 images, 1 of them without boxes; boxes: 10 disk" in out
    assert "resuming after 2 batches" in out
    assert (tmp_path / "disk.onnx").read_bytes() != first
    state = checkpoints.load(tmp_path / "disk.training" / "checkpoint.pt")
    assert (state.step, [row["step"] for row in state.history]) == (3, [2.0, 3.0])
    card = (tmp_path / "disk.md").read_text(encoding="utf-8")
    assert "| disks | 11 | 10 | 2 |" in card
    assert "- asked for: 2 batches, then 3 batches (resumed: the learning rate" in card
    for name in ("curves.png", "images.jpg"):
        assert (tmp_path / "disk.training" / name).is_file()
    assert stat.S_IMODE((tmp_path / "disk.training" / "images.jpg").stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_training_that_starts_with_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"{i}.png", "val" if i > 4 else "train", "disk", "24 16 48 40", "") for i in range(6)]
    data = write_table(tmp_path / "data", rows)
    arguments = [str(data), "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--name", "one", "--steps", "2"]) == 0
    second = ["--name", "two", "--start", str(tmp_path / "one.onnx")]
    assert run_train([*arguments, *second, "--steps", "1"]) == 0
    one = (tmp_path / "one.onnx").read_bytes()
    assert (
        f"It started with the weights of one.onnx (SHA-256 `{hashlib.sha256(one).hexdigest()}`)"
    ) in (tmp_path / "two.md").read_text(encoding="utf-8")
    assert run_train([*arguments, *second, "--steps", "2"]) == 0
    capsys.readouterr()
    assert run_train([*arguments, "--name", "two", "--steps", "3"]) == 2
    error = capsys.readouterr().err
    assert "was started with different weights to start with: resume with the same" in error
    for name in ("one", "two"):  # whether it resumes or not
        own = str(tmp_path / f"{name}.onnx")
        assert run_train([*arguments, "--name", name, "--start", own, "--steps", "4"]) == 2
        assert f"{name}.onnx: the result would replace it" in capsys.readouterr().err
    assert (tmp_path / "one.onnx").read_bytes() == one
    missing = ["--start", str(tmp_path / "none.onnx")]
    assert run_train([*arguments, "--name", "six", *missing]) == 1
    error = capsys.readouterr().err
    assert "none.onnx: cannot read these weights" in error
    assert len(error.splitlines()) == 1


@pytest.mark.slow
def test_the_default_rate_is_the_recipes(dataset: Path, tmp_path: Path) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK, "--steps", "1"]
    assert run_train(arguments) == 0
    made_from = checkpoints.load(tmp_path / "x.training" / "checkpoint.pt").made_from
    assert made_from["rate"] == str(Recipe().rate)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--share", "there=2"], 2, "no images in a folder there"),
        (["--teachers", "unknown"], 2, "no detector is called 'unknown'"),
        (["--share", "disks=0"], 2, "--share is 0 for every folder"),
        (["--seed", "99999999999999999999"], 2, "give a number from 0 to 4294967295"),
        (["--name", ""], 2, "--name is '': give a name without folders"),
        (["--name", "a/b"], 2, "--name is 'a/b': give a name without folders"),
        (["--device", "foo"], 2, "--device foo: not on this machine: choose cpu or auto"),
        (["--device", "cuda:77"], 2, "--device cuda:77: not on this machine"),
        (["--out", "/dev/null/y"], 1, "/dev/null/y: /dev/null is a file, not a folder"),
    ],
)
def test_errors_are_one_line(
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    message: str,
) -> None:
    assert run_train([str(dataset), "--name", "x", "--out", str(tmp_path), *options]) == code
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("name", ["..", "x.onnx", "a/b", ""])
def test_unusable_names_are_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run_train([str(dataset), "--name", name, "--out", str(tmp_path), *QUICK]) == 2
    assert f"--name is '{name}': " in capsys.readouterr().err


def test_a_missing_device_leaves_no_folder(dataset: Path, tmp_path: Path) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path / "new"), "--device", "foo"]
    assert run_train(arguments) == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("ending", [".md", ".onnx"])
def test_files_that_no_training_wrote_are_not_replaced(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    file = tmp_path / f"README{ending}"
    file.write_text("mine")
    arguments = [str(dataset), "--name", "README", "--out", str(tmp_path), *QUICK, "--steps", "1"]
    assert run_train(arguments) == 1
    error = capsys.readouterr().err
    assert f"README{ending}: already exists, and there is no checkpoint" in error
    assert file.read_text() == "mine"
    assert not (tmp_path / "README.training").exists()


@pytest.mark.slow
def test_losses_that_are_not_finite_end_it_and_write_nothing(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = Network(NetworkShape(1).scaled(0.3))
    torch.nn.init.constant_(network.heads[1][-1].bias, 3e38)  # a number; its square is none
    (tmp_path / "huge.onnx").write_bytes(onnx_bytes(network, ["disk"]))
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--steps", "1", "--start", str(tmp_path / "huge.onnx")]) == 1
    error = capsys.readouterr().err
    assert "batch 1: losses or gradients are not finite numbers" in error
    assert len(error.splitlines()) == 1
    assert not [file for file in tmp_path.iterdir() if file.stem == "x" and file.is_file()]
    assert not (tmp_path / "x.training" / "checkpoint.pt").exists()


def test_contact_sheets_and_curves_are_images(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.png")
    samples = list(load_samples([AnnotatedImage(file, SIZE, (("face", BOX),))] * 9, ["face"]))
    sheet = contact_sheet(samples)
    assert sheet.shape == (400, 1600, 3)
    write_jpeg(sheet, tmp_path / "sheet.jpg")
    row = {"step": 1.0, "seconds": 1.0, "score_loss": 1.0, "box_loss": 2.0}
    write_curves([row, row | {"step": 2.0, "ap50": 0.5}], tmp_path / "curves.png")
    assert (tmp_path / "sheet.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert (tmp_path / "curves.png").read_bytes()[1:4] == b"PNG"
