"""The COCO layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import BOX, write_coco, write_coco_2017
from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import read_dataset

if TYPE_CHECKING:
    from pathlib import Path


def test_roboflow_export(tmp_path: Path) -> None:
    dataset = read_dataset(write_coco(tmp_path))
    assert dataset.classes == ("face",)
    assert set(dataset.splits) == {"train", "test"}
    (only,) = dataset.splits["test"]
    assert only.objects == (("face", BOX),)
    assert only.ignored == (Box(0, 0, 9, 9),)


@pytest.mark.parametrize(
    ("bbox", "category", "message"),
    [
        ((90, 16, 24, 24), 2, "extends beyond"),
        ((24, 16, 24), 2, "not four numbers"),
        ((24, 16, 24, 10**400), 2, "not four numbers"),
        ((24, 16, 24, 24), 5, "unknown class 5"),
    ],
)
def test_invalid_annotations_are_reported(
    tmp_path: Path, bbox: tuple[float, ...], category: int, message: str
) -> None:
    where = r": test/_annotations\.coco\.json, annotation 1: "
    with pytest.raises(SourceError, match=f"{where}.*{message}"):
        read_dataset(write_coco(tmp_path, bbox, category))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": [3]}, "images, item 1: 'id' is missing"),
        ({"images": [{"id": [7]}]}, "images, item 1: 'id' is missing"),
        ({"annotations": ["box"]}, "annotations, item 1: 'image_id' is missing"),
        ({"annotations": [{"image_id": 7}]}, "annotations, item 1: 'category_id' is missing"),
        ({"categories": [None]}, "categories, item 1: 'id' is missing"),
        ({"categories": [{"name": "face"}]}, "categories, item 1: 'id' is missing"),
        ({"categories": [{"id": 2}]}, "categories, item 1: 'name' is missing"),
        ({"categories": {}}, "no COCO annotations: the list 'categories' is missing"),
        (
            {"annotations": {}},
            "no COCO annotations: expected the lists images, annotations, categories",
        ),
    ],
)
def test_invalid_items_are_reported(
    tmp_path: Path, content: dict[str, object], message: str
) -> None:
    file = tmp_path / "labels.json"
    file.write_text(json.dumps({"images": [], "annotations": [], "categories": []} | content))
    with pytest.raises(SourceError, match=rf"labels\.json: {message}"):
        read_dataset(tmp_path)


def test_layout_of_coco_2017(tmp_path: Path) -> None:
    write_coco_2017(tmp_path)
    dataset = read_dataset(tmp_path)
    assert {split: len(images) for split, images in dataset.splits.items()} == {
        "train": 1,
        "val": 1,
    }
    (only,) = dataset.splits["train"]
    assert only.path == tmp_path / "train2017" / "1.jpg"
    assert only.objects == (("face", BOX),)
    others = "captions_train2017.json", "person_keypoints_train2017.json"
    assert dataset.skipped == {f"file of other annotations: {name}": 1 for name in others}


def test_caption_files_are_skipped(tmp_path: Path) -> None:
    file = write_coco(tmp_path) / "train" / "captions.json"
    file.write_text('{"images": [], "annotations": [{"caption": "a face"}]}')
    assert read_dataset(tmp_path).skipped == {"file of other annotations: captions.json": 1}


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("length", [10, 120, -1])
def test_truncated_json_is_reported(tmp_path: Path, split: str, length: int) -> None:
    file = write_coco(tmp_path) / split / "_annotations.coco.json"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(SourceError, match=rf"{split}/_annotations\.coco\.json: cannot read this"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("key", ["images", "categories"])
def test_a_missing_list_is_reported(tmp_path: Path, key: str) -> None:
    file = write_coco(tmp_path) / "train" / "_annotations.coco.json"
    content = json.loads(file.read_text())
    del content[key]
    file.write_text(json.dumps(content))
    with pytest.raises(SourceError, match=rf"train/_anno.*json: no COCO .* '{key}' is missing"):
        read_dataset(tmp_path)


def test_hidden_files_are_ignored(tmp_path: Path) -> None:
    write_coco(tmp_path)
    (tmp_path / "train" / "._annotations.coco.json").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".vscode").mkdir()
    (tmp_path / ".vscode" / "settings.json").write_text("{} // none")
    assert set(read_dataset(tmp_path).splits) == {"train", "test"}


def test_a_folder_named_like_a_json_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    assert read_dataset(write_coco(tmp_path)).classes == ("face",)


def test_invalid_json_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"annotations": [')
    with pytest.raises(SourceError, match="cannot read"):
        read_dataset(tmp_path)
