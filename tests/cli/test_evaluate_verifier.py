"""`trackblur evaluate` of a verifier."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx", reason="onnx (the extra 'train') is not installed")
pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import torch

from tests.annotated_files import disk_image, write_image, write_table
from tests.command_line import run
from tracker_blur.core.box import Box
from tracker_blur.training.verifier.calibration import Calibration
from tracker_blur.training.verifier.export import verifier_bytes
from tracker_blur.training.verifier.network import VerifierNetwork, VerifierShape

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Return a folder with two test images: one with a face, one without any."""
    box = Box(24, 16, 48, 40)
    write_image(tmp_path / "data" / "some" / "a.png", disk_image(0, (box,)))
    write_image(tmp_path / "data" / "none" / "b.png", disk_image(1, ()))
    rows = [
        ("some/a.png", "test", "face", "24 16 48 40", ""),
        ("none/b.png", "test", "none", "", ""),
    ]
    return write_table(tmp_path / "data", rows)


def write_verifier(folder: Path, label: str) -> Path:
    file = folder / f"{label}.onnx"
    torch.manual_seed(0)
    network = VerifierNetwork(VerifierShape().scaled(0.3)).eval()
    file.write_bytes(verifier_bytes(network, label, Calibration(), 0))
    return file


def test_the_file_decides_that_it_is_a_verifier(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verifier = write_verifier(tmp_path, "face")
    assert run("evaluate", verifier, faces, "--detectors", "haar") == 0
    out = capsys.readouterr().out
    rows = [line.strip("| ").split(" | ") for line in out.splitlines() if line.startswith("|")]
    first = [row[0] for row in rows]
    assert first[:3] == ["detections", "---", "all"]
    for name in ("some", "none", "20-40 px", "turned by 270 degrees"):
        assert name in first
    for detector in ("face.onnx at 0.4", "haar at 0.25"):
        own = [row for row in rows if row[0] == detector]
        assert [row[1] for row in own] == ["recall", "alarmed, none"]
        assert {len(row) for row in own} == {7}


def test_a_verifier_of_another_class_is_refused(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verifier = write_verifier(tmp_path, "plate")
    assert run("evaluate", verifier, faces) == 2
    error = capsys.readouterr().err
    assert "plate.onnx verifies plate, not face: name its class with --class" in error
    assert run("evaluate", "haar", faces, "--task", "verify") == 1
    assert "haar: cannot read this weight file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--report", "x.html"], ["--groups"], ["--scales", "1,2"], ["--partly-labelled"]]
)
def test_options_of_detectors_are_refused(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    verifier = write_verifier(tmp_path, "face")
    assert run("evaluate", verifier, faces, *option) == 2
    assert f"{option[0]} is for detectors, and {verifier} is a verifier" in capsys.readouterr().err
