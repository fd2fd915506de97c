"""What `trackblur train` refuses, and reads before anything is learned; this needs no PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.annotated_files import write_image, write_table
from tests.command_line import run_train
from tracker_blur.training.datasets.dataset import AnnotatedImage
from tracker_blur.training.recipe import TrainingData


@pytest.mark.parametrize(
    "options",
    [
        ["--width", "9"],
        ["--minutes", "0"],
        ["--minutes", "nan"],
        ["--rate", "-1"],
        ["--seed", "-1"],
        ["--workers", "-1"],
    ],
)
def test_numbers_out_of_range_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert run_train([str(tmp_path), "--name", "x", *options]) == 2
    assert f"argument {options[0]}: '{options[1]}': give a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--classes", "plate"], "has no class 'plate': it has disk"),
        (["--side", "100"], "a multiple of 32"),
        (["--join", "v.onnx"], "--join is for --task verify"),
    ],
)
def test_check_refuses_a_plan_that_makes_no_sense(
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    arguments = [str(dataset), "--name", "x", "--out", str(tmp_path), "--check"]
    assert run_train([*arguments, *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a+b", "a/b"])
def test_check_refuses_class_names_that_an_onnx_file_cannot_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    rows = [("a.png", "train", name, "24 16 48 40", ""), ("b.png", "val", name, "", "")]
    folder = write_table(tmp_path / "data", rows)
    assert run_train([str(folder), "--name", "x", "--out", str(tmp_path), "--check"]) == 2
    assert f"class '{name}': rename it in the dataset" in capsys.readouterr().err


def test_check_refuses_truncated_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"{i}.jpg", "train", "disk", "24 16 48 40", "") for i in range(3)]
    folder = write_table(tmp_path / "data", rows)
    for truncated in (folder / "1.jpg", folder / "2.jpg"):
        truncated.write_bytes(truncated.read_bytes()[: truncated.stat().st_size // 2])
    assert run_train([str(folder), "--name", "x", "--out", str(tmp_path), "--check"]) == 1
    error = capsys.readouterr().err
    assert "1.jpg: is damaged or " in error
    assert "(and 1 more problem)" in error


def test_images_may_lie_outside_of_the_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere" / "images"
    for i in range(60):
        write_image(elsewhere / f"{i}.png")
        label = tmp_path / "elsewhere" / "labels" / f"{i}.txt"
        label.parent.mkdir(exist_ok=True)
        label.write_text("0 0.375 0.4375 0.25 0.375\n")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "data.yaml").write_text(
        f"path: {elsewhere.parent.as_posix()}\ntrain: images\nnames: [face]\n"
    )
    assert run_train([str(folder), "--name", "x", "--out", str(tmp_path), "--check"]) == 0
    train, val = capsys.readouterr().out.splitlines()
    assert int(train.split()[1]) + int(val.split()[1]) == 60


@pytest.mark.parametrize(("count", "words"), [(1, "1 image,"), (2, "2 images,")])
def test_the_summary_counts_in_the_singular_and_the_plural(count: int, words: str) -> None:
    images = (AnnotatedImage(Path("a.png"), (8, 8), ()),) * count
    train, val = TrainingData(("face",), images, images, {}).summary()
    assert train.startswith(f"train: {words} {count} of them without boxes; boxes: 0 face; ")
    assert val.startswith(f"val: {words} ")


def test_check_only_reads(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_train([str(dataset), "--name", "x", "--out", str(tmp_path), "--check"]) == 0
    assert "val: 2 images" in capsys.readouterr().out
    assert not (tmp_path / "x.training").exists()


def test_heads_are_read_for_verifiers_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = "24 16 48 40"
    rows = [
        (f"{i}.png", "val" if i > 3 else "train", ("face", "head")[i % 2], sides, "")
        for i in range(6)
    ]
    folder = write_table(tmp_path / "data", rows)
    arguments = [str(folder), "--name", "x", "--out", str(tmp_path), "--check"]
    assert run_train(arguments) == 0
    out = capsys.readouterr().out
    assert "train: 2 images, 0 of them without boxes; boxes: 2 face; " in out
    assert "skipped: 3 whole heads" in out
    assert run_train([*arguments, "--task", "verify", "--classes", "face"]) == 0
    out = capsys.readouterr().out
    assert "train: 4 images, 0 of them without boxes; boxes: 2 face, 2 head; " in out
    assert "skipped" not in out


def test_a_dataset_of_heads_alone_teaches_to_verify_faces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"{i}.png", "train", "head", "24 16 48 40", "") for i in range(3)]
    folder = write_table(tmp_path / "data", rows)
    arguments = [str(folder), "--name", "x", "--out", str(tmp_path), "--check"]
    assert run_train([*arguments, "--task", "verify"]) == 0
    assert "boxes: 0 face, " in capsys.readouterr().out


def test_a_verifier_knows_one_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"{i}.png", "train", ("face", "plate")[i % 2], "24 16 48 40", "") for i in range(6)]
    folder = write_table(tmp_path / "data", rows)
    arguments = [str(folder), "--name", "x", "--out", str(tmp_path), "--check", "--task", "verify"]
    assert run_train(arguments) == 2
    assert "a verifier knows one class, not face, plate: name one" in capsys.readouterr().err
    assert run_train([*arguments, "--classes", "plate"]) == 0
