"""COCO layout: JSON with "images", "categories" and "annotations" ("bbox": x, y, width, height).

Annotations with "iscrowd" become ignored regions. The name of the file or of its folder names the
split: `train/_annotations.coco.json` (Roboflow), `instances_val.json` (CVAT). The caption and
keypoint files that COCO itself has next to its instances are skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError, reason_of
from tracker_blur.training.datasets.dataset import (
    AnnotatedImage,
    Dataset,
    Problems,
    build_dataset,
    split_from_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_REQUIRED = {
    "images": ("id",),
    "annotations": ("image_id", "category_id"),
    "categories": ("id", "name"),
}
_INSTANCES = "instances_"

_Rows = list[dict[str, Any]]


def is_coco(folder: Path) -> bool:
    """Return whether the folder or one directly below it holds a COCO .json file.

    Raises SourceError for a .json file that cannot be read or is cut short.
    """
    return bool(_coco_files(folder))


def read_coco(folder: Path) -> Dataset:
    """Return the dataset; raises SourceError."""
    problems = Problems(folder)
    splits: dict[str, list[AnnotatedImage]] = defaultdict(list)
    classes: dict[str, None] = {}
    skipped: dict[str, int] = {}
    files = _coco_files(folder)
    with_instances = {file.parent for file in files if file.name.startswith(_INSTANCES)}
    for file in files:
        is_other = file.parent in with_instances and not file.name.startswith(_INSTANCES)
        content = None if is_other else _instances(file)
        if content is None:
            skipped[f"file of other annotations: {file.name}"] = 1
            continue
        used = {annotation["category_id"] for annotation in content["annotations"]}
        names = {category["id"]: str(category["name"]) for category in content["categories"]}
        # Roboflow lists a parent category that no annotation has.
        classes |= dict.fromkeys(name for number, name in names.items() if number in used)
        splits[_split(file)] += _annotated_images(
            content, names, file, _image_folders(folder, file), problems
        )
    if not splits:
        expected = ", ".join(_REQUIRED)
        raise SourceError(f"{files[0]}: no COCO annotations: expected the lists {expected}")
    return build_dataset(folder, classes, splits, problems, skipped)


def _coco_files(folder: Path) -> list[Path]:
    # Hidden files are editors' settings, and what macOS leaves next to a file.
    files = sorted((*folder.glob("[!.]*.json"), *folder.glob("[!.]*/[!.]*.json")))
    return [file for file in files if file.is_file() and _has_annotations(file)]


def _has_annotations(file: Path) -> bool:
    text = _read_text(file)
    if '"annotations"' in text:
        return True
    _parse(file, text)  # one that was cut short may have had them
    return False


def _read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig", "replace")
    except OSError as error:
        raise SourceError(f"{file}: cannot read this file ({reason_of(error)})") from error


def _parse(file: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        reason = reason_of(error)
        raise SourceError(f"{file}: cannot read this file: is it complete? ({reason})") from error


def _instances(file: Path) -> dict[str, _Rows] | None:
    """Return a file's lists; None for a file of captions or other annotations."""
    content = _parse(file, _read_text(file))
    if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
        return None
    missing = [key for key in _REQUIRED if not isinstance(content.get(key), list)]
    if missing == ["categories"] and _are_captions(content["annotations"]):
        return None
    if missing:
        raise SourceError(f"{file}: no COCO annotations: the list '{missing[0]}' is missing")
    for key, fields in _REQUIRED.items():
        for number, item in enumerate(content[key], 1):
            for name in fields:
                if not isinstance(item, dict) or not isinstance(item.get(name), int | float | str):
                    raise SourceError(f"{file}: {key}, item {number}: '{name}' is missing")
    return {key: content[key] for key in _REQUIRED}


def _are_captions(annotations: list[Any]) -> bool:
    return bool(annotations) and not any(
        isinstance(item, dict) and "bbox" in item for item in annotations
    )


def _split(file: Path) -> str:
    for word in (file.parent.name, *re.split(r"[^A-Za-z]+", file.stem)):
        split = split_from_name(word)
        if split is not None:
            return split
    return "train"


def _image_folders(folder: Path, file: Path) -> list[Path]:
    """Return the folders in which a file's images may lie."""
    names = _split(file), file.stem.removeprefix(_INSTANCES)
    below = [root / name for root in (folder / "images", folder) for name in names]
    return [file.parent, file.parent / "images", folder / "images", *below]


def _annotated_images(
    content: dict[str, _Rows],
    names: dict[Any, str],
    file: Path,
    folders: Sequence[Path],
    problems: Problems,
) -> list[AnnotatedImage]:
    objects: dict[Any, list[tuple[str, Box]]] = defaultdict(list)
    ignored: dict[Any, list[Box]] = defaultdict(list)
    sizes: dict[Any, tuple[int, int]] = {}
    paths: dict[Any, Path] = {}
    for image in content["images"]:
        candidates = [folder / str(image.get("file_name")) for folder in folders]
        path = next(filter(os.path.isfile, candidates), candidates[0])
        size = problems.image_size(path)
        if size is not None:
            sizes[image["id"]], paths[image["id"]] = size, path
    known = {image["id"] for image in content["images"]}
    for annotation in content["annotations"]:
        image_id = annotation["image_id"]
        where = f"{problems.relative(file)}, annotation {annotation.get('id')}"
        name = names.get(annotation["category_id"])
        if image_id not in known:
            problems.add(f"{where}: no image has the id {image_id}")
        elif name is None:
            problems.add(f"{where}: unknown class {annotation['category_id']}")
        elif image_id in sizes:
            box = _box(annotation.get("bbox"), sizes[image_id], where, problems)
            if box is not None and annotation.get("iscrowd"):
                ignored[image_id].append(box)
            elif box is not None:
                objects[image_id].append((name, box))
    return [
        AnnotatedImage(path, sizes[number], tuple(objects[number]), tuple(ignored[number]))
        for number, path in paths.items()
    ]


def _box(numbers: Any, size: tuple[int, int], where: str, problems: Problems) -> Box | None:
    try:
        x, y, width, height = map(float, numbers)
    except (TypeError, ValueError, OverflowError):
        problems.add(f"{where}: 'bbox' is not four numbers")
        return None
    return problems.clipped_box(Box.from_xywh(x, y, width, height), size, where)
