"""Every layout is read into the same, and what makes no sense in it is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.annotated_files import (
    BOX,
    SIZE,
    picture,
    write_coco,
    write_coco_2017,
    write_picture,
    write_table,
    write_voc,
    write_yolo,
)
from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import read_dataset
from tracker_blur.training.datasets.annotated import read_picture

TABLE_BOX = "24 16 48 40"


def test_yolo_of_roboflow(tmp_path: Path) -> None:
    dataset = read_dataset(write_yolo(tmp_path))
    assert dataset.classes == ("badge", "face")
    assert set(dataset.splits) == {"train", "val"}
    (only,) = dataset.splits["train"]
    assert (only.size, only.things) == (SIZE, (("face", BOX),))


def test_yolo_polygons_count_as_the_box_around_them(tmp_path: Path) -> None:
    polygon = "1 0.25 0.25 0.5 0.3 0.4 0.625"
    (only,) = read_dataset(write_yolo(tmp_path, polygon)).splits["train"]
    assert only.things == (("face", BOX),)


def test_yolo_of_label_studio(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png")
    write_picture(tmp_path / "images" / "bare.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.375 0.4375 0.25 0.375\n")
    (tmp_path / "classes.txt").write_text("face\n")
    with_face, bare = read_dataset(tmp_path).splits["train"]
    assert with_face.things == (("face", BOX),)
    assert bare.things == ()


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("2 0.5 0.5 0.1 0.1", "unknown class 2"),
        ("1 0.9 0.5 0.5 0.1", "lies outside its picture"),
        ("1 0.5 0.5 0.1", "neither a box nor a polygon"),
        ("face 0.5 0.5 0.1 0.1", "a class number"),
        ("1 nan 0.5 0.1 0.1", "no numbers"),
        ("1 0.5 0.5 0 0.1", "an empty box"),
    ],
)
def test_tells_what_is_wrong_in_yolo(tmp_path: Path, label: str, message: str) -> None:
    where = f"{tmp_path}: train/labels/a.txt, line 1: '{label}': "
    with pytest.raises(SourceError, match=f"^{re.escape(where)}.*{message}.*1 more problem"):
        read_dataset(write_yolo(tmp_path, label))


def test_long_lines_of_yolo_are_told_shortened(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"line 1: 'x{40}\.\.\.': a class number"):
        read_dataset(write_yolo(tmp_path, "x" * 500))


def test_labels_of_yolo_without_their_picture_are_told(tmp_path: Path) -> None:
    labels = write_yolo(tmp_path) / "valid" / "labels"
    (labels / "classes.txt").write_text("badge\nface\n")
    (labels / "empty.txt").touch()
    (labels / "b.txt").write_text("1 0.375 0.4375 0.25 0.375\n")
    told = r": valid/labels/b\.txt: the picture of these labels is missing$"
    with pytest.raises(SourceError, match=told):
        read_dataset(tmp_path)


def test_pictures_that_yolo_does_not_list_may_have_labels(tmp_path: Path) -> None:
    for name in "ab":
        write_picture(tmp_path / "images" / f"{name}.png")
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{name}.txt").write_text("0 0.375 0.4375 0.25 0.375\n")
    (tmp_path / "train.txt").write_text("images/a.png\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\nnames: [face]\n")
    (only,) = read_dataset(tmp_path).splits["train"]
    assert only.path.name == "a.png"


def test_a_split_test_that_was_not_exported_is_left_out(tmp_path: Path) -> None:
    settings = write_yolo(tmp_path) / "data.yaml"
    settings.write_text(f"test: ../test/images\n{settings.read_text()}")
    dataset = read_dataset(tmp_path)
    assert set(dataset.splits) == {"train", "val"}
    assert dataset.left_out == {"split whose folder is missing: test": 1}
    (tmp_path / "test" / "images").mkdir(parents=True)
    with pytest.raises(SourceError, match="the split 'test' has no pictures"):
        read_dataset(tmp_path)


def test_a_split_without_pictures_is_told(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    (tmp_path / "valid" / "images" / "a.jpg").unlink()
    (tmp_path / "valid" / "labels" / "a.txt").unlink()
    with pytest.raises(SourceError, match="the split 'val' has no pictures"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff", b"a" * 300, b"a\0b"])
def test_a_split_of_yolo_that_names_no_list_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.jpg").write_bytes(content)
    (tmp_path / "data.yaml").write_text("train: list.jpg\nnames: [face]\n")
    with pytest.raises(SourceError, match="cannot read this"):
        read_dataset(tmp_path)


def test_yolo_written_by_windows_is_read(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("0 0.375 0.4375 0.25 0.375\n", encoding="utf-8-sig")
    (tmp_path / "classes.txt").write_text("face\n", encoding="utf-8-sig")
    (only,) = read_dataset(tmp_path).splits["train"]
    assert only.things == (("face", BOX),)


def test_coco_of_roboflow(tmp_path: Path) -> None:
    dataset = read_dataset(write_coco(tmp_path))
    assert dataset.classes == ("face",)
    assert set(dataset.splits) == {"train", "test"}
    (only,) = dataset.splits["test"]
    assert only.things == (("face", BOX),)
    assert only.ignored == (Box(0, 0, 9, 9),)


@pytest.mark.parametrize(
    ("bbox", "category", "message"),
    [
        ((90, 16, 24, 24), 2, "lies outside"),
        ((24, 16, 24), 2, "not four numbers"),
        ((24, 16, 24, 10**400), 2, "not four numbers"),
        ((24, 16, 24, 24), 5, "unknown class 5"),
    ],
)
def test_tells_what_is_wrong_in_coco(
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
        ({"annotations": {}}, "no COCO annotations: images, annotations, categories are expected"),
    ],
)
def test_coco_of_wrong_items_is_told(
    tmp_path: Path, content: dict[str, object], message: str
) -> None:
    file = tmp_path / "labels.json"
    file.write_text(json.dumps({"images": [], "annotations": [], "categories": []} | content))
    with pytest.raises(SourceError, match=rf"labels\.json: {message}"):
        read_dataset(tmp_path)


def test_coco_of_its_makers(tmp_path: Path) -> None:
    write_coco_2017(tmp_path)
    dataset = read_dataset(tmp_path)
    assert {split: len(pictures) for split, pictures in dataset.splits.items()} == {
        "train": 1,
        "val": 1,
    }
    (only,) = dataset.splits["train"]
    assert only.path == tmp_path / "train2017" / "1.jpg"
    assert only.things == (("face", BOX),)
    others = "captions_train2017.json", "person_keypoints_train2017.json"
    assert dataset.left_out == {f"file of other annotations: {name}": 1 for name in others}


def test_captions_beside_coco_are_left_out(tmp_path: Path) -> None:
    file = write_coco(tmp_path) / "train" / "captions.json"
    file.write_text('{"images": [], "annotations": [{"caption": "a face"}]}')
    assert read_dataset(tmp_path).left_out == {"file of other annotations: captions.json": 1}


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("length", [10, 120, -1])
def test_coco_that_was_cut_short_is_told(tmp_path: Path, split: str, length: int) -> None:
    file = write_coco(tmp_path) / split / "_annotations.coco.json"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(SourceError, match=rf"{split}/_annotations\.coco\.json: cannot read this"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("key", ["images", "categories"])
def test_coco_without_one_of_its_lists_is_told(tmp_path: Path, key: str) -> None:
    file = write_coco(tmp_path) / "train" / "_annotations.coco.json"
    content = json.loads(file.read_text())
    del content[key]
    file.write_text(json.dumps(content))
    with pytest.raises(SourceError, match=rf"train/_anno.*json: no COCO .* '{key}' is missing"):
        read_dataset(tmp_path)


def test_hidden_files_beside_coco_are_none_of_it(tmp_path: Path) -> None:
    write_coco(tmp_path)
    (tmp_path / "train" / "._annotations.coco.json").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".vscode").mkdir()
    (tmp_path / ".vscode" / "settings.json").write_text("{} // none")
    assert set(read_dataset(tmp_path).splits) == {"train", "test"}


def test_a_folder_by_the_name_of_a_json_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    assert read_dataset(write_coco(tmp_path)).classes == ("face",)


def test_coco_that_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"annotations": [')
    with pytest.raises(SourceError, match="cannot read"):
        read_dataset(tmp_path)


def test_voc_of_cvat(tmp_path: Path) -> None:
    dataset = read_dataset(write_voc(tmp_path))
    assert dataset.classes == ("face",)
    (only,) = dataset.splits["val"]
    assert (only.path.name, only.things, only.ignored) == ("b.jpg", (("face", BOX),), (BOX,))


@pytest.mark.parametrize(
    ("sides", "message"), [((24, 16, 148, 40), "outside"), (("", 1, 2, 3), "no box")]
)
def test_tells_what_is_wrong_in_voc(
    tmp_path: Path, sides: tuple[object, ...], message: str
) -> None:
    with pytest.raises(SourceError, match=f": Annotations/a.xml, object 1: .*{message}"):
        read_dataset(write_voc(tmp_path, sides))


def test_lists_of_voc_that_are_no_text_are_told(tmp_path: Path) -> None:
    (write_voc(tmp_path) / "ImageSets" / "Main" / "train.txt").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SourceError, match=r"train\.txt: cannot read this list"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("encoding", ["none", "utf-7"])
def test_voc_in_unknown_characters_is_told(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.xml").write_text(f"<?xml version='1.0' encoding='{encoding}'?><annotation/>")
    with pytest.raises(SourceError, match=r"a\.xml: cannot read these labels"):
        read_dataset(tmp_path)


def test_our_own_table(tmp_path: Path) -> None:
    rows = [
        ("one/a.png", "train", "face", f"{TABLE_BOX};0 0 8 8", "50 0 60 9"),
        ("one/b.png", "test", "none", "", ""),
        ("two/c.png", "train", "head", TABLE_BOX, ""),
    ]
    dataset = read_dataset(write_table(tmp_path, rows))
    assert dataset.classes == ("face",)
    assert dataset.left_out == {"whole heads": 1}
    (only,) = dataset.splits["train"]
    assert only.things == (("face", BOX), ("face", Box(0, 0, 8, 8)))
    assert only.ignored == (Box(50, 0, 60, 9),)
    assert dataset.splits["test"][0].things == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a.png", "dev", "face", "", ""), "unknown split 'dev'"),
        (("a.png", "train", "face", "1 2 3", ""), "'1 2 3' is no box"),
        (("a.png", "train", "none", TABLE_BOX, ""), "style 'none'"),
        (("a.png", "train", "face", "", "0 0 200 9"), "lies outside"),
    ],
)
def test_tells_what_is_wrong_in_the_table(
    tmp_path: Path, row: tuple[str, str, str, str, str], message: str
) -> None:
    with pytest.raises(SourceError, match=f"labels.csv, line 2: .*{message}"):
        read_dataset(write_table(tmp_path, [row]))


@pytest.mark.parametrize("row", ["b.png", "b.png,train,96,64,face,0 0 9 9"])
@pytest.mark.parametrize("line", [2, 3])
def test_rows_that_are_too_short_are_told(tmp_path: Path, row: str, line: int) -> None:
    write_table(tmp_path, [("a.png", "train", "face", TABLE_BOX, "")])
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    lines.insert(line - 1, row)
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    with pytest.raises(SourceError, match=f"labels.csv, line {line}: has fewer cells"):
        read_dataset(tmp_path)


def test_a_table_of_excel_is_read(tmp_path: Path) -> None:
    file = write_table(tmp_path, [("a.png", "train", "face", TABLE_BOX, "")]) / "labels.csv"
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert read_dataset(tmp_path).splits["train"][0].things == (("face", BOX),)


def test_missing_columns_are_told(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,split\na.png,train\n")
    with pytest.raises(SourceError, match="no column style, boxes, ignore"):
        read_dataset(tmp_path)


def test_boxes_a_little_beyond_the_border_are_cut(tmp_path: Path) -> None:
    write_table(tmp_path, [("a.png", "train", "face", "-1 0 97 65.5", "")])
    (only,) = read_dataset(tmp_path).splits["train"]
    assert only.things == (("face", Box(0, 0, 96, 64)),)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_broken_pictures_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.png: cannot read this picture"):
        read_dataset(write_table(tmp_path, [("a.png", "train", "face", "", "")]))
    with pytest.raises(SourceError, match=r"a\.png: is (empty|no picture)"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".tif"])
def test_pictures_that_break_off_are_told(tmp_path: Path, ending: str) -> None:
    file = write_picture(tmp_path / f"a{ending}")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SourceError, match=rf"a\{ending}: is "):
        read_picture(file)


@pytest.mark.filterwarnings("default")  # Pillow takes an error for one more reason to give up
def test_pictures_that_break_off_are_told_once(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    file = write_picture(tmp_path / "a.tif")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SourceError, match=r"a\.tif: cannot read this picture"):
        read_dataset(write_table(tmp_path, [("a.tif", "train", "face", "", "")]))
    assert not recwarn.list


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing is labelled in it"):
        read_dataset(write_table(tmp_path, []))


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
def test_boxes_are_of_the_picture_as_it_is_read(
    tmp_path: Path, ending: str, orientation: int
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    with Pillow.fromarray(picture()) as image:
        image.save(tmp_path / f"a{ending}", exif=exif)
    write_table(tmp_path, [(f"a{ending}", "train", "face", "", "")])
    (only,) = read_dataset(tmp_path).splits["train"]
    assert read_picture(only.path).shape[1::-1] == only.size


def test_missing_pictures_are_told(tmp_path: Path) -> None:
    write_table(tmp_path, [("a.png", "train", "face", "", "")])
    (tmp_path / "a.png").unlink()
    with pytest.raises(SourceError, match=r"a\.png: this picture is missing"):
        read_dataset(tmp_path)


def test_pictures_are_read_as_they_are(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_picture(write_picture(tmp_path / "ä.png")), picture())


def test_data_sets_in_which_nothing_is_labelled_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing is labelled in it"):
        read_dataset(write_table(tmp_path, [("a.png", "train", "none", "", "")]))


def test_folders_without_annotations_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no annotations found"):
        read_dataset(tmp_path)
    with pytest.raises(SourceError, match="no such folder"):
        read_dataset(tmp_path / "missing")


def test_a_file_instead_of_the_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"data\.yaml: is a file: give the folder it lies in"):
        read_dataset(write_yolo(tmp_path) / "data.yaml")
