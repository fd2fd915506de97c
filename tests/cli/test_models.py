"""`trackblur models`: which weight files are known, found and missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command_line import run
from tests.detectors.heads.networks import LAYOUTS
from tracker_blur.core import plugins
from tracker_blur.weights.catalog import MODELS, Model
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_all_weights_are_listed_with_their_license_and_the_folders(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run("models", "--face", tmp_path, *arguments) == 0
    files, licenses = capsys.readouterr().out.split("\nname")
    for model in MODELS:
        assert model.name in files
        assert model.license_name in licenses
    assert "missing" in files
    rows = licenses.split("\n\n")[0].splitlines()[1:]
    column = len("yunet-2026may") + 2
    assert {row[:column].rstrip() for row in rows} == {*(model.name for model in MODELS), "own"}
    assert all(row[column - 1] == " " and row[column] != " " for row in rows)
    column = f"name{licenses}".index("what")
    assert all(row[column - 1] == " " and row[column] != " " for row in rows)
    assert f"searched: {tmp_path}" in licenses


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_summary_ends_with_the_value_of_the_option(model: Model) -> None:
    ends = [
        f"({kind} {name})"
        for kind in ("detector", "tracker")
        for name in plugins.names(f"tracker_blur.{kind}s")
    ]
    ends.append("(--keep-people, --hide-people, review)")
    assert model.summary.endswith(tuple(ends))


def test_a_folder_that_is_missing_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "--face", tmp_path / "none") == 2
    assert "no such folder of weight files" in capsys.readouterr().err


def test_help_speaks_of_detectors_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "--help") == 0
    assert (
        "List the weight files of detectors, download them, or describe" in capsys.readouterr().out
    )


def test_only_known_weights_are_downloaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "pull", "psychic") == 2
    assert "psychic" in capsys.readouterr().err


def test_the_list_says_what_auto_uses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "centerface.onnx").touch()
    assert run("models", "--face", tmp_path) == 0
    assert "--detector auto uses centerface\n" in capsys.readouterr().out


def test_a_file_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, own = tmp_path / "yolo11n.onnx", tmp_path / "own.onnx"
    path.write_bytes(LAYOUTS["yolo11, named classes"].content())
    own.write_bytes(Weights().read("plate.onnx"))
    assert run("models", "info", path, own) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: YOLO; input 320x192 pixels; confidence 0.25; detects person, face, plate",
        f"{own}: made by trackblur train; input of any size; confidence 0.4; detects plate",
    ]


@pytest.mark.shared
def test_a_copy_of_weights_that_another_detector_uses_is_described(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "mine.onnx"
    copy.write_bytes((shared / "models" / "centerface.onnx").read_bytes())
    assert run("models", "info", copy) == 0
    assert capsys.readouterr().out == (
        f"{copy}: CenterFace face detector (detector centerface): name that one with --detector, "
        "not this file\n"
    )


def test_a_file_that_cannot_be_a_detector_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"nothing")
    assert run("models", "info", tmp_path / "mine.onnx") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "mine.onnx: damaged, or not an ONNX file" in line
