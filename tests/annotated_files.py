"""Small annotated datasets in the layouts that annotation tools export."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracker_blur.core.frame import Image

SIZE = (96, 64)
BOX = Box(24, 16, 48, 40)


def disk_image(seed: int = 0, boxes: Sequence[Box] = (BOX,), size: tuple[int, int] = SIZE) -> Image:
    """Return a noisy image with a bright disk in each box."""
    width, height = size
    image = np.random.default_rng(seed).integers(0, 90, (height, width, 3), np.uint8)
    for box in boxes:
        center = tuple(map(round, box.center))
        axes = round(box.width / 2), round(box.height / 2)
        cv2.ellipse(image, center, axes, 0, 0, 360, (60, 200, 240), -1)
    return image


def write_image(path: Path, image: Image | None = None) -> Path:
    """Write an image in the format of its suffix; create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, content = cv2.imencode(path.suffix, disk_image() if image is None else image)
    path.write_bytes(content.tobytes())
    return path


def write_table(folder: Path, rows: Sequence[tuple[str, str, str, str, str]]) -> Path:
    """Write labels.csv with (file, split, style, boxes, ignore), and the missing images."""
    lines = ["file,split,width,height,style,boxes,ignore"]
    for file, split, style, boxes, ignore in rows:
        if not (folder / file).exists():
            write_image(folder / file)
        lines.append(f"{file},{split},96,64,{style},{boxes},{ignore}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_yolo(folder: Path, label: str = "1 0.375 0.4375 0.25 0.375") -> Path:
    """Write a YOLO dataset as Roboflow does: data.yaml, and images and labels by split."""
    for split in ("train", "valid"):
        write_image(folder / split / "images" / "a.jpg")
        (folder / split / "labels").mkdir()
        (folder / split / "labels" / "a.txt").write_text(f"{label}\n")
    (folder / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: [badge, face]\n"
    )
    return folder


def write_coco(folder: Path, bbox: Sequence[float] = (24, 16, 24, 24), category: int = 2) -> Path:
    """Write a COCO dataset as Roboflow does: _annotations.coco.json next to each split's images."""
    for split in ("train", "test"):
        write_image(folder / split / "a.jpg")
        content = {
            "images": [{"id": 7, "file_name": "a.jpg", "width": 96, "height": 64}],
            "categories": [{"id": 0, "name": "objects"}, {"id": 2, "name": "face"}],
            "annotations": [
                {"id": 1, "image_id": 7, "category_id": category, "bbox": list(bbox)},
                {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 9, 9], "iscrowd": 1},
            ],
        }
        (folder / split / "_annotations.coco.json").write_text(json.dumps(content))
    return folder


def write_coco_2017(folder: Path) -> Path:
    """Write a dataset in the layout of COCO 2017, with captions and keypoints."""
    (folder / "annotations").mkdir()
    for split in ("train2017", "val2017"):
        write_image(folder / split / "1.jpg")
        images = [{"id": 1, "file_name": "1.jpg"}]
        annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [24, 16, 24, 24]}
        content = {
            "images": images,
            "annotations": [annotation],
            "categories": [{"id": 1, "name": "face"}],
        }
        captions = {"images": images, "annotations": [{"id": 1, "image_id": 1, "caption": "disk"}]}
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
        if split == "train2017":
            for name, other in (("captions", captions), ("person_keypoints", content)):
                (folder / "annotations" / f"{name}_{split}.json").write_text(json.dumps(other))
    return folder


def write_voc(folder: Path, sides: Sequence[object] = (24, 16, 48, 40)) -> Path:
    """Write a VOC dataset as CVAT does: Annotations, JPEGImages, ImageSets/Main."""
    for name in ("a", "b"):
        write_image(folder / "JPEGImages" / f"{name}.jpg")
        corners = "".join(
            f"<{tag}>{side}</{tag}>"
            for tag, side in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=True)
        )
        objects = "".join(
            f"<object><name>face</name><difficult>{hard}</difficult><bndbox>{corners}</bndbox>"
            "</object>"
            for hard in (0, 1)
        )
        file = folder / "Annotations" / f"{name}.xml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            f"<annotation><filename>C:\\data\\{name}.jpg</filename>{objects}</annotation>"
        )
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\n")
    (lists / "val.txt").write_text("b\n")
    return folder
