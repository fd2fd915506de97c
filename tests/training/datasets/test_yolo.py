"""The YOLO layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import BOX, SIZE, write_image, write_yolo
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import read_dataset

if TYPE_CHECKING:
    from pathlib import Path


def test_roboflow_export(tmp_path: Path) -> None:
    dataset = read_dataset(write_yolo(tmp_path))
    assert dataset.classes == ("badge", "face")
    assert set(dataset.splits) == {"train", "val"}
    (only,) = dataset.splits["train"]
    assert (only.size, only.objects) == (SIZE, (("face", BOX),))


def test_polygons_become_their_bounding_box(tmp_path: Path) -> None:
    polygon = "1 0.25 0.25 0.5 0.3 0.4 0.625"
    (only,) = read_dataset(write_yolo(tmp_path, polygon)).splits["train"]
    assert only.objects == (("face", BOX),)


def test_label_studio_export(tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "a.png")
    write_image(tmp_path / "images" / "bare.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.375 0.4375 0.25 0.375\n")
    (tmp_path / "classes.txt").write_text("face\n")
    with_face, bare = read_dataset(tmp_path).splits["train"]
    assert with_face.objects == (("face", BOX),)
    assert bare.objects == ()


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("2 0.5 0.5 0.1 0.1", "unknown class 2"),
        ("1 0.9 0.5 0.5 0.1", "extends beyond its image"),
        ("1 0.5 0.5 0.1", "neither a box nor a polygon"),
        ("face 0.5 0.5 0.1 0.1", "expected a class number and coordinates"),
        ("1 nan 0.5 0.1 0.1", "not a finite number"),
        ("1 0.5 0.5 0 0.1", "the box is empty"),
    ],
)
def test_invalid_labels_are_reported(tmp_path: Path, label: str, message: str) -> None:
    where = f"{tmp_path}: train/labels/a.txt, line 1: '{label}': "
    with pytest.raises(SourceError, match=f"^{re.escape(where)}.*{message}.*1 more problem"):
        read_dataset(write_yolo(tmp_path, label))


def test_long_lines_are_quoted_shortened(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"line 1: 'x{40}\.\.\.': expected a class number"):
        read_dataset(write_yolo(tmp_path, "x" * 500))


def test_labels_without_their_image_are_reported(tmp_path: Path) -> None:
    labels = write_yolo(tmp_path) / "valid" / "labels"
    (labels / "classes.txt").write_text("badge\nface\n")
    (labels / "empty.txt").touch()
    (labels / "b.txt").write_text("1 0.375 0.4375 0.25 0.375\n")
    message = r": valid/labels/b\.txt: the image of these labels is missing$"
    with pytest.raises(SourceError, match=message):
        read_dataset(tmp_path)


def test_images_that_are_not_listed_may_have_labels(tmp_path: Path) -> None:
    for name in "ab":
        write_image(tmp_path / "images" / f"{name}.png")
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{name}.txt").write_text("0 0.375 0.4375 0.25 0.375\n")
    (tmp_path / "train.txt").write_text("images/a.png\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\nnames: [face]\n")
    (only,) = read_dataset(tmp_path).splits["train"]
    assert only.path.name == "a.png"


def test_an_empty_label_file_says_that_there_is_no_object(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    images = tmp_path / "train" / "images"
    write_image(images / "b.jpg")
    write_image(images / "c.jpg")
    (tmp_path / "train" / "labels" / "b.txt").write_text(" \n")
    read = read_dataset(tmp_path).splits["train"]
    assert [image.is_empty for image in read] == [False, True, False]


def test_a_test_split_that_was_not_exported_is_skipped(tmp_path: Path) -> None:
    settings = write_yolo(tmp_path) / "data.yaml"
    settings.write_text(f"test: ../test/images\n{settings.read_text()}")
    dataset = read_dataset(tmp_path)
    assert set(dataset.splits) == {"train", "val"}
    assert dataset.skipped == {"split whose folder is missing: test": 1}
    (tmp_path / "test" / "images").mkdir(parents=True)
    with pytest.raises(SourceError, match="the split 'test' has no images"):
        read_dataset(tmp_path)


def test_a_split_without_images_is_reported(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    (tmp_path / "valid" / "images" / "a.jpg").unlink()
    (tmp_path / "valid" / "labels" / "a.txt").unlink()
    with pytest.raises(SourceError, match="the split 'val' has no images"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff", b"a" * 300, b"a\0b"])
def test_a_split_that_names_no_list_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.jpg").write_bytes(content)
    (tmp_path / "data.yaml").write_text("train: list.jpg\nnames: [face]\n")
    with pytest.raises(SourceError, match="cannot read this"):
        read_dataset(tmp_path)


def test_files_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("0 0.375 0.4375 0.25 0.375\n", encoding="utf-8-sig")
    (tmp_path / "classes.txt").write_text("face\n", encoding="utf-8-sig")
    (only,) = read_dataset(tmp_path).splits["train"]
    assert only.objects == (("face", BOX),)
