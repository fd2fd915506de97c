"""Whole trainings of verifiers: what they read, write, resume and refuse."""

from __future__ import annotations

import re
import stat
from dataclasses import replace

import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import numpy as np

from tests.annotated_files import disk_image, write_image, write_table
from tests.command_line import run_train
from tests.training.verifier.crop_samples import disk_crop_sample, empty_crop_sample
from tracker_blur.classifiers import CropClassifier
from tracker_blur.core.box import Box
from tracker_blur.training import checkpoints
from tracker_blur.training.recipe import VERIFIER_RECIPE, CropAugmentation
from tracker_blur.training.verifier.crops import CropDataset
from tracker_blur.training.verifier.network import VerifierShape
from tracker_blur.training.verifier.task import crop_sheet
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("seeded_torch")

QUICK = ["--task", "verify", "--batch", "4", "--workers", "0", "--width", "0.3", "--device", "cpu"]


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Return a folder with labels.csv: faces, heads and images of neither."""
    rows = []
    for i in range(12):
        style = ("face", "head", "none")[i % 3]
        box = Box(20 + i, 16, 48 + i, 44)
        shown = () if style == "none" else (box,)
        write_image(tmp_path / "data" / style / f"{i}.png", disk_image(i, shown))
        sides = " ".join(map(str, box.as_tuple())) if shown else ""
        rows.append((f"{style}/{i}.png", "val" if i > 8 else "train", style, sides, ""))
    return write_table(tmp_path / "data", rows)


@pytest.mark.slow
def test_a_verifier_is_trained_resumed_and_started_with(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(faces), "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--name", "v", "--steps", "2", "--share", "face=2"]) == 0
    out = capsys.readouterr().out
    assert "train: 9 images, 3 of them without boxes; boxes: 3 face, 3 head" in out
    learned = re.search("to learn from: ([0-9]+) objects, ([0-9]+) false alarms", out)
    assert learned is not None
    assert int(learned[1]) >= 6  # the labels, and detections of them
    first = (tmp_path / "v.onnx").read_bytes()
    odds = CropClassifier("v.onnx", first).log_odds(disk_image(), [Box(24, 16, 48, 40)])
    assert np.isfinite(odds).all()
    card = (tmp_path / "v.md").read_text(encoding="utf-8")
    assert "Says whether a detection shows: face. " in card
    assert f"{learned[1]} boxes of objects and {learned[2]} false alarms, from the labels" in card
    assert f"- rate: {VERIFIER_RECIPE.rate}" in card
    assert "- expected calibration error: " in card
    assert "- shares of folders: {'face': 2.0}" in card
    work = tmp_path / "v.training"
    assert stat.S_IMODE((work / "images.jpg").stat().st_mode) == 0o600
    assert (work / "curves.png").is_file()
    more = ["--name", "v", "--steps", "3", "--share", "face=2"]
    assert run_train([*arguments, *more]) == 0
    assert "resuming after 2 batches" in capsys.readouterr().out
    state = checkpoints.load(work / "checkpoint.pt", VerifierShape)
    assert (state.step, [sorted(row) for row in state.history]) == (
        3,
        [["auc", "false_positives", "loss", "seconds", "step"]] * 2,
    )
    assert (tmp_path / "v.onnx").read_bytes() != first
    start = ["--name", "w", "--start", str(tmp_path / "v.onnx"), "--steps", "1"]
    assert run_train([*arguments, *start, "--join", str(tmp_path / "v.onnx")]) == 0
    card = (tmp_path / "w.md").read_text()
    assert "It started with the weights of v.onnx" in card
    assert "- other network in the file: v.onnx" in card
    both, one = ((tmp_path / name).stat().st_size for name in ("w.onnx", "v.onnx"))
    assert 1.9 < both / one < 2.1


@pytest.mark.slow
def test_a_verifier_of_other_crops_does_not_resume_under_the_same_name(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(faces), "--name", "v", "--out", str(tmp_path), *QUICK]
    assert run_train([*arguments, "--steps", "1"]) == 0
    assert run_train([*arguments, "--steps", "2", "--partly-labelled", "none"]) == 2
    assert "was started with partly_labelled () (not ('none',))" in capsys.readouterr().err
    assert run_train([*arguments, "--steps", "2", "--upright"]) == 2
    assert "usual_rotation_deg 12.0 (not 4.0)" in capsys.readouterr().err
    detector = [str(faces), "--name", "v", "--out", str(tmp_path), "--side", "64", "--steps", "1"]
    assert run_train([*detector, "--workers", "0", "--width", "0.3", "--batch", "2"]) == 2
    assert "checkpoint.pt: not a checkpoint of trackblur train" in capsys.readouterr().err


@pytest.mark.slow
def test_a_class_that_no_detector_of_ours_knows_needs_one(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(dataset), "--name", "v", "--out", str(tmp_path), *QUICK, "--steps", "1"]
    assert run_train(arguments) == 2
    error = capsys.readouterr().err
    assert "no detector of ours knows the class 'disk': name the file of one" in error
    assert len(error.splitlines()) == 1
    quick = ["--side", "64", "--workers", "0", "--width", "0.3", "--batch", "2", "--steps", "1"]
    assert run_train([str(dataset), "--name", "disk", "--out", str(tmp_path), *quick]) == 0
    assert run_train([*arguments, "--teachers", str(tmp_path / "disk.onnx")]) == 0
    assert (tmp_path / "v.onnx").is_file()


def test_crops_of_objects_are_framed_in_the_sheet() -> None:
    samples = [disk_crop_sample(0), empty_crop_sample(1)]
    frames = []
    for share in (0.0, 1.0):
        only = replace(CropAugmentation(), object_share=share, redacted_share=0.0)
        sheet = crop_sheet(CropDataset(samples, "face", only, seed=0), seed=0)
        assert sheet.shape == (1000, 1600, 3)
        frames.append(int((sheet == (0, 255, 0)).all(2).sum()))
    assert frames[0] < 100
    assert frames[1] > 40 * 4 * 150


def test_a_file_that_cannot_be_joined_is_refused_before_the_training(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        str(faces),
        "--name",
        "v",
        "--out",
        str(tmp_path),
        *QUICK,
        "--steps",
        "1",
        "--join",
    ]
    weights = Weights(None)
    for file, message in (
        (weights.path("verify_plate.onnx"), "is a verifier of 'plate': --join needs one of 'face'"),
        (weights.path("face.onnx"), "this is no verifier"),
        (tmp_path / "no.onnx", "check --join"),
    ):
        assert run_train([*arguments, str(file)]) in (1, 2)
        assert message in capsys.readouterr().err
    detector = [str(faces), "--name", "v", "--out", str(tmp_path), "--start", "x.pth"]
    assert run_train(detector) == 2
    assert "--start x.pth is for --task verify" in capsys.readouterr().err
