"""The labels.csv layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import BOX, write_table
from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import read_dataset

if TYPE_CHECKING:
    from pathlib import Path

TABLE_BOX = "24 16 48 40"


def test_labels_are_read(tmp_path: Path) -> None:
    rows = [
        ("one/a.png", "train", "face", f"{TABLE_BOX};0 0 8 8", "50 0 60 9"),
        ("one/b.png", "test", "none", "", ""),
        ("two/c.png", "train", "head", TABLE_BOX, ""),
        ("one/d.png", "test", "face", "", ""),
        ("one/e.png", "test", "none", "", "50 0 60 9"),
    ]
    dataset = read_dataset(write_table(tmp_path, rows))
    assert dataset.classes == ("face",)
    assert dataset.skipped == {"whole heads": 1}
    (only,) = dataset.splits["train"]
    assert only.objects == (("face", BOX), ("face", Box(0, 0, 8, 8)))
    assert only.ignored == (Box(50, 0, 60, 9),)
    assert all(image.objects == () for image in dataset.splits["test"])
    # People who label faces may overlook some; those who write "none" have looked, except for
    # ignored regions.
    assert [image.is_empty for image in dataset.splits["test"]] == [True, False, False]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a.png", "dev", "face", "", ""), "unknown split 'dev'"),
        (("a.png", "train", "face", "1 2 3", ""), "'1 2 3' is not a box"),
        (("a.png", "train", "none", TABLE_BOX, ""), "style 'none'"),
        (("a.png", "train", "face", "", "0 0 200 9"), "extends beyond"),
    ],
)
def test_invalid_rows_are_reported(
    tmp_path: Path, row: tuple[str, str, str, str, str], message: str
) -> None:
    with pytest.raises(SourceError, match=f"labels.csv, line 2: .*{message}"):
        read_dataset(write_table(tmp_path, [row]))


@pytest.mark.parametrize("row", ["b.png", "b.png,train,96,64,face,0 0 9 9"])
@pytest.mark.parametrize("line", [2, 3])
def test_short_rows_are_reported(tmp_path: Path, row: str, line: int) -> None:
    write_table(tmp_path, [("a.png", "train", "face", TABLE_BOX, "")])
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    lines.insert(line - 1, row)
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    with pytest.raises(SourceError, match=f"labels.csv, line {line}: has fewer cells"):
        read_dataset(tmp_path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = write_table(tmp_path, [("a.png", "train", "face", TABLE_BOX, "")]) / "labels.csv"
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert read_dataset(tmp_path).splits["train"][0].objects == (("face", BOX),)


def test_missing_columns_are_reported(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,split\na.png,train\n")
    with pytest.raises(SourceError, match="no column style, boxes, ignore"):
        read_dataset(tmp_path)


def test_a_table_without_rows_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no object is labeled in this dataset"):
        read_dataset(write_table(tmp_path, []))
