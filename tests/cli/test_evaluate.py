"""`trackblur evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from tests.annotated_files import write_picture, write_table, write_yolo
from tracker_blur.cli.evaluate import run_evaluate
from tracker_blur.training.recipe import Plan, material

PLATE = str(Path(__file__).parents[2] / "models" / "plate.onnx")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    portrait = np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR), np.uint8)
    for name in ("one/a.png", "two/b.png"):
        write_picture(tmp_path / name, portrait)
    rows = [
        ("one/a.png", "test", "face", "170 60 280 185", ""),
        ("two/b.png", "test", "face", "170 60 280 185", ""),
    ]
    return write_table(tmp_path, rows)


def test_prints_a_table_and_writes_the_report(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    words = ["haar", str(dataset), "--scales", "0.5,1", "--by-folder", "--report", str(report)]
    assert run_evaluate(words) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| haar")]
    assert [row[0] for row in rows] == 3 * ["haar", "haar, one", "haar, two"]
    assert [row[1] for row in rows[:6]] == 3 * ["0.5"] + 3 * ["1"]
    assert rows[0][2:4] == ["2", "2"]
    assert "haar x" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["haar", "DATASET", "--split", "val"], 2, "no split 'val'"),
        (["haar", "DATASET", "--class", "plate"], 2, "DATASET: no class 'plate': it has face"),
        (["nothing", "DATASET"], 2, "no detector is called 'nothing'"),
        (["missing.onnx", "DATASET"], 1, "missing.onnx: no such file"),
        (["haar", "missing"], 1, "missing: no such folder"),
    ],
)
def test_tells_what_is_wrong(
    dataset: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    message: str,
) -> None:
    assert run_evaluate([str(dataset) if word == "DATASET" else word for word in words]) == code
    assert message.replace("DATASET", str(dataset)) in capsys.readouterr().err


def test_a_split_test_that_was_not_exported_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = write_yolo(tmp_path) / "data.yaml"
    settings.write_text(f"test: ../test/images\n{settings.read_text()}")
    assert run_evaluate(["haar", str(tmp_path), "--class", "face"]) == 2
    assert "no split 'test': it has train, val" in capsys.readouterr().err


def test_without_validation_pictures_those_of_training_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"{i}.png", "train", "face", "24 16 48 40", "") for i in range(40)]
    folder = write_table(tmp_path, rows)
    held_out = material(Plan(folder, "x", tmp_path)).val
    assert run_evaluate(["haar", str(folder), "--split", "val"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("There is no split 'val': judged on the pictures that a training")
    row = next(line for line in said.splitlines() if line.startswith("| haar"))
    assert row.split(" | ")[2] == str(len(held_out))


@pytest.mark.parametrize(("name", "kind"), [("haar", "face"), (PLATE, "plate")])
def test_detectors_of_other_classes_are_not_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    folder = write_table(tmp_path, [("a.png", "test", "Face", "24 16 48 40", "")])
    assert run_evaluate([name, str(folder)]) == 2
    said = capsys.readouterr()
    assert f"{name} finds {kind}, and {folder} has Face" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--report", "missing/page.html"], "missing/page.html: the folder"),
        (["--report", "."], ".: is not a file"),
        (["--groups"], "yunet"),
    ],
)
def test_what_is_missing_in_the_end_is_told_before_the_first_look(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)  # no weights but the packaged ones
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path / "none")
    assert run_evaluate(["haar", str(dataset), *words]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


def test_without_pycocotools_nothing_is_looked_at(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)  # what an import then finds
    assert run_evaluate(["haar", str(dataset)]) == 1
    said = capsys.readouterr()
    assert "judging a detector needs the package pycocotools" in said.err
    assert said.out == ""


def test_one_of_several_classes_must_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_yolo(tmp_path)
    assert run_evaluate(["haar", str(tmp_path), "--split", "val"]) == 2
    assert "--class: badge, face" in capsys.readouterr().err


@pytest.mark.parametrize("scales", ["0", "a", "1,,2"])
def test_refuses_scales_that_make_no_sense(dataset: Path, scales: str) -> None:
    with pytest.raises(SystemExit):
        run_evaluate(["haar", str(dataset), "--scales", scales])


@pytest.mark.parametrize(
    "words",
    [["--widen", "0"], ["--widen", "-1"], ["--smallest", "nan"], ["--limit", "0"]],
)
def test_refuses_numbers_that_make_no_sense(
    dataset: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_evaluate(["haar", str(dataset), *words])
    assert ended.value.code == 2
    assert f"argument {words[0]}: '{words[1]}': give a" in capsys.readouterr().err
