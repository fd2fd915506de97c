"""The Pascal VOC layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import BOX, write_voc
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import read_dataset

if TYPE_CHECKING:
    from pathlib import Path


def test_cvat_export(tmp_path: Path) -> None:
    dataset = read_dataset(write_voc(tmp_path))
    assert dataset.classes == ("face",)
    (only,) = dataset.splits["val"]
    assert (only.path.name, only.objects, only.ignored) == ("b.jpg", (("face", BOX),), (BOX,))


def test_a_file_without_an_object_says_that_there_is_none(tmp_path: Path) -> None:
    file = write_voc(tmp_path) / "Annotations" / "a.xml"
    file.write_text("<annotation><filename>a.jpg</filename></annotation>")
    dataset = read_dataset(tmp_path)
    is_empty = {
        image.path.name: image.is_empty for images in dataset.splits.values() for image in images
    }
    assert is_empty == {"a.jpg": True, "b.jpg": False}


@pytest.mark.parametrize(
    ("sides", "message"), [((24, 16, 148, 40), "extends beyond"), (("", 1, 2, 3), "box is missing")]
)
def test_invalid_objects_are_reported(
    tmp_path: Path, sides: tuple[object, ...], message: str
) -> None:
    with pytest.raises(SourceError, match=f": Annotations/a.xml, object 1: .*{message}"):
        read_dataset(write_voc(tmp_path, sides))


def test_lists_that_are_not_text_are_reported(tmp_path: Path) -> None:
    (write_voc(tmp_path) / "ImageSets" / "Main" / "train.txt").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SourceError, match=r"train\.txt: cannot read this list"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("encoding", ["none", "utf-7"])
def test_unknown_encodings_are_reported(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.xml").write_text(f"<?xml version='1.0' encoding='{encoding}'?><annotation/>")
    with pytest.raises(SourceError, match=r"a\.xml: cannot read these labels"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE annotation [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE annotation SYSTEM "file:///etc/passwd">',
    ],
)
def test_a_document_type_is_refused(tmp_path: Path, declaration: str) -> None:
    file = write_voc(tmp_path) / "Annotations" / "a.xml"
    file.write_text(declaration + file.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(SourceError, match="declares a document type, which labels never do"):
        read_dataset(tmp_path)
