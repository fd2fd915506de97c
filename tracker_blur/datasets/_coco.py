"""COCO JSON: "images", "categories" and "annotations" with "bbox" as x, y, width and height.

Annotations with "iscrowd" are regions to ignore. A split is named by the file or its folder:
`train/_annotations.coco.json` (Roboflow), `instances_val.json` (CVAT).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from tracker_blur.boxes import Box
from tracker_blur.datasets.annotated import Annotated, Dataset, Problems, finished, split_named
from tracker_blur.errors import SourceError

_KEYS = ("images", "annotations", "categories")


def is_coco(folder: Path) -> bool:
    """Return whether a .json file in the folder, or one below it, is named or filled as COCO's."""
    return bool(_files(folder))


def _files(folder: Path) -> list[Path]:
    files = sorted((*folder.glob("*.json"), *folder.glob("*/*.json")))
    return [file for file in files if '"annotations"' in file.read_text("utf-8", "replace")]


def read_coco(folder: Path) -> Dataset:
    """Return the data set; raises SourceError."""
    problems = Problems(folder)
    splits: dict[str, list[Annotated]] = defaultdict(list)
    classes: dict[str, None] = {}
    for file in _files(folder):
        content = _content(file)
        used = {thing.get("category_id") for thing in content["annotations"]}
        names = {kind["id"]: str(kind["name"]) for kind in content["categories"]}
        # Roboflow lists a category above its classes that no annotation has.
        classes |= dict.fromkeys(name for number, name in names.items() if number in used)
        splits[_split(file)] += _pictures(content, names, file, problems)
    return finished(folder, classes, splits, problems)


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"{file}: cannot read this file ({error})") from error
    if not isinstance(content, dict) or not all(isinstance(content.get(k), list) for k in _KEYS):
        raise SourceError(f"{file}: no COCO annotations: {', '.join(_KEYS)} are expected")
    return content


def _split(file: Path) -> str:
    for word in (file.parent.name, *re.split(r"[^A-Za-z]+", file.stem)):
        split = split_named(word)
        if split is not None:
            return split
    return "train"


def _pictures(
    content: dict[str, Any], names: dict[Any, str], file: Path, problems: Problems
) -> list[Annotated]:
    things: dict[Any, list[tuple[str, Box]]] = defaultdict(list)
    ignored: dict[Any, list[Box]] = defaultdict(list)
    sizes: dict[Any, tuple[int, int]] = {}
    paths: dict[Any, Path] = {}
    for image in content["images"]:
        path = _path(file, str(image.get("file_name")))
        size = problems.size(path)
        if size is not None:
            sizes[image.get("id")], paths[image.get("id")] = size, path
    known = {image.get("id") for image in content["images"]}
    for thing in content["annotations"]:
        picture, where = thing.get("image_id"), f"{file.name}, annotation {thing.get('id')}"
        name = names.get(thing.get("category_id"))
        if picture not in known:
            problems.add(f"{where}: no picture has the number {picture}")
        elif name is None:
            problems.add(f"{where}: unknown class {thing.get('category_id')}")
        elif picture in sizes:
            box = _box(thing.get("bbox"), sizes[picture], where, problems)
            if box is not None and thing.get("iscrowd"):
                ignored[picture].append(box)
            elif box is not None:
                things[picture].append((name, box))
    return [
        Annotated(path, sizes[number], tuple(things[number]), tuple(ignored[number]))
        for number, path in paths.items()
    ]


def _path(file: Path, name: str) -> Path:
    folders = (file.parent, file.parent / "images", file.parent.parent / "images")
    subfolders = (folders[-1] / _split(file), folders[-1] / file.stem.removeprefix("instances_"))
    choices = [folder / name for folder in (*folders, *subfolders)]
    return next((choice for choice in choices if choice.is_file()), choices[0])


def _box(numbers: Any, size: tuple[int, int], where: str, problems: Problems) -> Box | None:
    try:
        x, y, width, height = map(float, numbers)
    except (TypeError, ValueError):
        problems.add(f"{where}: 'bbox' is not four numbers")
        return None
    return problems.box(Box.from_xywh(x, y, width, height), size, where)
