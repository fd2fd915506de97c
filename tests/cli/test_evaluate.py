"""`trackblur evaluate`: measures detectors on annotated images."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from tests.annotated_files import write_image, write_table, write_yolo
from tests.command_line import run as run_command
from tracker_blur.training.evaluation import detecting
from tracker_blur.training.recipe import Plan, read_training_data

PLATE = str(Path(__file__).parents[2] / "models" / "plate.onnx")


def run(*arguments: str | Path) -> int:
    return run_command("evaluate", *arguments)


@pytest.fixture(autouse=True)
def timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time detectors by one detection, which is enough for a number in a table."""
    monkeypatch.setattr(detecting, "_WARM_UP_RUNS", 0)
    monkeypatch.setattr(detecting, "_TIMED_RUNS", 1)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    portrait = np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR), np.uint8)
    for name in ("one/a.png", "two/b.png"):
        write_image(tmp_path / name, portrait)
    rows = [
        ("one/a.png", "test", "face", "170 60 280 185", ""),
        ("two/b.png", "test", "face", "170 60 280 185", ""),
    ]
    return write_table(tmp_path, rows)


@pytest.mark.slow
def test_prints_a_table_and_writes_the_report(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    arguments = ["haar", str(dataset), "--scales", "0.25,0.5", "--by-folder", "--turns"]
    assert run(*arguments, "--report", str(report)) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| haar")]
    turned = [f"haar, turned by {degrees} degrees" for degrees in (90, 180, 270)]
    assert [row[0] for row in rows] == 3 * ["haar", "haar, one", "haar, two", *turned]
    assert [row[1] for row in rows[:12]] == 6 * ["0.25"] + 6 * ["0.5"]
    assert rows[6][2:4] == ["2", "2"]
    recall, turned_recall, alarmed = rows[6][11], rows[10][11], rows[6][12]
    assert (recall, turned_recall, alarmed) == ("1.000", "0.000", "-")
    assert "haar x" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["haar", "DATASET", "--split", "val"],
            2,
            "error: DATASET: has no split 'val': it has test\n",
        ),
        (
            ["haar", "DATASET", "--class", "plate"],
            2,
            "error: DATASET: has no class 'plate': it has face\n",
        ),
        (["nothing", "DATASET"], 2, "no detector is called 'nothing'"),
        (["missing.onnx", "DATASET"], 1, "missing.onnx: no such file"),
        (["haar", "missing"], 1, "missing: no such folder"),
    ],
)
def test_an_error_is_one_line(
    dataset: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    assert run(*(word.replace("DATASET", str(dataset)) for word in arguments)) == code
    assert message.replace("DATASET", str(dataset)) in capsys.readouterr().err


def test_a_test_split_that_was_not_exported_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = write_yolo(tmp_path) / "data.yaml"
    settings.write_text(f"test: ../test/images\n{settings.read_text()}")
    assert run("haar", str(tmp_path), "--class", "face") == 2
    assert "has no split 'test': it has train, val" in capsys.readouterr().err


@pytest.mark.slow
def test_without_a_validation_split_held_out_training_images_are_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"{i}.png", "train", "face", "24 16 48 40", "") for i in range(40)]
    folder = write_table(tmp_path, rows)
    held_out = read_training_data(Plan(folder, "x", tmp_path)).val
    assert run("haar", str(folder), "--split", "val") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("There is no split 'val': using the training images that")
    row = next(line for line in printed.splitlines() if line.startswith("| haar"))
    assert row.split(" | ")[2] == str(len(held_out))


@pytest.mark.parametrize(("name", "kind"), [("haar", "face"), (PLATE, "plate")])
def test_a_detector_of_another_class_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    folder = write_table(tmp_path, [("a.png", "test", "Face", "24 16 48 40", "")])
    assert run(name, str(folder)) == 2
    printed = capsys.readouterr()
    assert f"{name} detects {kind}, and {folder} has Face" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "missing/page.html"], "missing/page.html: the folder"),
        (["--report", "."], ".: is not a file"),
        (["--groups"], "yunet"),
    ],
)
def test_what_would_fail_at_the_end_fails_before_the_first_detection(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)  # no weights but the packaged ones
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path / "none")
    assert run("haar", str(dataset), *arguments) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


def test_without_pycocotools_nothing_is_detected(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)  # makes the import fail
    assert run("haar", str(dataset)) == 1
    printed = capsys.readouterr()
    assert "evaluating a detector needs the package pycocotools" in printed.err
    assert printed.out == ""


def test_one_of_several_classes_must_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_yolo(tmp_path)
    assert run("haar", str(tmp_path), "--split", "val") == 2
    assert "--class: badge, face" in capsys.readouterr().err


@pytest.mark.parametrize("scales", ["0", "a", "1,,2"])
def test_a_wrong_scale_is_wrong_usage(dataset: Path, scales: str) -> None:
    assert run("haar", dataset, "--scales", scales) == 2


@pytest.mark.parametrize(
    "arguments",
    [["--widen", "0"], ["--widen", "-1"], ["--smallest", "nan"], ["--limit", "0"]],
)
def test_a_wrong_number_is_wrong_usage(
    dataset: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run("haar", dataset, *arguments) == 2
    assert f"argument {arguments[0]}: '{arguments[1]}': give a" in capsys.readouterr().err
