"""Trainings that resume from a checkpoint, and checkpoints that must not be resumed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import torch

from tests import program
from tests.command_line import run_train
from tests.training.tiny import QUICK
from tracker_blur.errors import SourceError
from tracker_blur.training import checkpoints
from tracker_blur.training.recipe import Augmentation, Plan, Recipe, read_training_data
from tracker_blur.training.run import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("seeded_torch")]


def test_another_training_does_not_resume_under_the_same_name(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--steps", "1"]) == 0
    card = (tmp_path / "x.md").read_text(encoding="utf-8")
    table = dataset / "labels.csv"
    rows = table.read_text(encoding="utf-8")
    table.write_text(rows.replace("20 16 48 44", "20 16 49 44"), encoding="utf-8")
    assert run_train([*arguments, "--steps", "2", "--rate", "0.5", "--seed", "9"]) == 2
    error = capsys.readouterr().err
    assert (
        "was started with rate 0.002 (not 0.5); seed 1 (not 9); different images to train" in error
    )
    assert f"choose another --name, or delete {tmp_path / 'x.training'}" in error
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == card
    table.write_text(rows, encoding="utf-8")
    moved = dataset.rename(tmp_path / "moved")
    longer = ["--minutes", "0.01", "--threads", "1", "--licences", "CC0"]
    assert run_train([str(moved), *arguments[1:], *longer]) == 0


def test_a_checkpoint_without_provenance_resumes(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--steps", "1"]) == 0
    path = tmp_path / "x.training" / "checkpoint.pt"
    content = torch.load(path, weights_only=True)
    del content["made_from"]  # as earlier versions wrote it
    torch.save(content, path)
    assert run_train([*arguments, "--steps", "2"]) == 0
    assert checkpoints.load(path).made_from["seed"] == "1"
    torch.save(content | {"classes": ("plate",)}, path)
    assert run_train([*arguments, "--steps", "3"]) == 2
    assert "was started with classes plate (not disk)" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["network", "average"])
@pytest.mark.parametrize("steps", ["1", "2"])
def test_a_checkpoint_whose_weights_are_not_finite_is_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str, steps: str
) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--steps", "1"]) == 0
    path, result = tmp_path / "x.training" / "checkpoint.pt", tmp_path / "x.onnx"
    content = torch.load(path, weights_only=True)
    content[part]["heads.0.1.weight"][0] = torch.nan
    torch.save(content, path)
    before = path.read_bytes(), result.read_bytes()
    assert run_train([*arguments, "--steps", steps]) == 1
    error = capsys.readouterr().err
    assert "checkpoint.pt: its weights are not finite numbers: delete" in error
    assert len(error.splitlines()) == 1
    assert (path.read_bytes(), result.read_bytes()) == before


def test_weights_that_are_not_finite_are_not_written(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--steps", "1"]) == 0
    path, result = tmp_path / "x.training" / "checkpoint.pt", tmp_path / "x.onnx"
    content = torch.load(path, weights_only=True)
    content["optimizer"]["state"][0]["exp_avg"][0] = torch.nan
    torch.save(content, path)
    before = path.read_bytes(), result.read_bytes()
    assert run_train([*arguments, "--steps", "2"]) == 1
    error = capsys.readouterr().err
    assert "checkpoint.pt: left as it was, since the new weights are not finite" in error
    assert (path.read_bytes(), result.read_bytes()) == before


@pytest.mark.parametrize("rows", [0, 1])
def test_a_checkpoint_at_its_end_is_validated_if_it_was_not(
    dataset: Path, tmp_path: Path, rows: int
) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--steps", "2"]) == 0
    path, card = tmp_path / "x.training" / "checkpoint.pt", tmp_path / "x.md"
    reached = card.read_text(encoding="utf-8").partition("## Reached")[2]
    state = checkpoints.load(path)
    assert [row.pop("ap50") for row in state.history] != []
    state.history = state.history[:rows]
    checkpoints.save(state, path)
    card.unlink()
    assert run_train([*arguments, "--steps", "1"]) == 0
    assert card.read_text(encoding="utf-8").partition("## Reached")[2] == reached


def test_a_validation_that_fails_loses_nothing(dataset: Path, tmp_path: Path) -> None:
    plan = Plan(
        dataset,
        "x",
        tmp_path,
        recipe=Recipe(steps=3),
        augmentation=Augmentation(64),
        width=0.3,
        batch=2,
        workers=0,
    )
    data = read_training_data(plan)
    validated = data.val[0].path
    content = validated.read_bytes()
    validated.unlink()
    with pytest.raises(SourceError, match=r"10\.png: "):
        run(plan, data, lambda _: None)
    assert checkpoints.load(tmp_path / "x.training" / "checkpoint.pt").step == 3
    validated.write_bytes(content)
    assert run(plan, data, lambda _: None).is_file()
    assert "AP50" in (tmp_path / "x.md").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are of POSIX")
def test_an_interruption_keeps_what_was_learned(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    with subprocess.Popen(
        [*program.INTERRUPTIBLE_PROGRAM, "train", *arguments, "--steps", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as training:
        assert training.stdout is not None
        while "batches" not in training.stdout.readline():
            assert training.poll() is None
        training.send_signal(signal.SIGINT)
        out, error = training.communicate(timeout=120)
    assert training.returncode == 130, error
    saved = re.search("saved after ([0-9]+) batches", out)
    assert saved is not None
    step = int(saved[1])
    assert checkpoints.load(tmp_path / "x.training" / "checkpoint.pt").step == step
    assert run_train([*arguments, "--steps", str(step + 1)]) == 0
    assert f"resuming after {step} batches" in capsys.readouterr().out
