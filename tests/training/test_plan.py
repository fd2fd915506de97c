"""What is asked for, and what is read before anything is learned; this needs no PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.annotated_files import write_picture, write_table
from tracker_blur.cli.train import run_train


@pytest.mark.parametrize(
    "words",
    [
        ["--width", "9"],
        ["--minutes", "0"],
        ["--minutes", "nan"],
        ["--rate", "-1"],
        ["--seed", "-1"],
        ["--workers", "-1"],
    ],
)
def test_refuses_numbers_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_train([str(tmp_path), "--name", "x", *words])
    assert ended.value.code == 2
    assert f"argument {words[0]}: '{words[1]}': give a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--classes", "plate"], "no class 'plate': it has disk"),
        (["--side", "100"], "a multiple of 32"),
    ],
)
def test_check_tells_what_is_wrong(
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    asked = [str(dataset), "--name", "x", "--out", str(tmp_path), "--check"]
    assert run_train([*asked, *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a+b", "a/b"])
def test_check_tells_of_class_names_that_no_network_can_carry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    rows = [("a.png", "train", name, "24 16 48 40", ""), ("b.png", "val", name, "", "")]
    folder = write_table(tmp_path / "data", rows)
    assert run_train([str(folder), "--name", "x", "--out", str(tmp_path), "--check"]) == 2
    assert f"class '{name}': rename it in the data set" in capsys.readouterr().err


def test_check_tells_of_pictures_that_break_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"{i}.jpg", "train", "disk", "24 16 48 40", "") for i in range(3)]
    folder = write_table(tmp_path / "data", rows)
    for cut in (folder / "1.jpg", folder / "2.jpg"):
        cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    assert run_train([str(folder), "--name", "x", "--out", str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert "1.jpg: is damaged or breaks off" in said
    assert "(and 1 more problem)" in said


def test_pictures_may_lie_outside_of_the_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere" / "images"
    for i in range(60):
        write_picture(elsewhere / f"{i}.png")
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


def test_check_only_reads(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_train([str(dataset), "--name", "x", "--out", str(tmp_path), "--check"]) == 0
    assert "val: 2 pictures" in capsys.readouterr().out
    assert not (tmp_path / "x.training").exists()
