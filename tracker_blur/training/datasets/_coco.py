"""COCO JSON: "images", "categories" and "annotations" with "bbox" as x, y, width and height.

Annotations with "iscrowd" are regions to ignore. A split is named by the file or its folder:
`train/_annotations.coco.json` (Roboflow), `instances_val.json` (CVAT). Captions and key points, as
COCO itself has them beside its instances, are left out.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets.annotated import (
    Annotated,
    Dataset,
    Problems,
    finished,
    split_named,
)

_NEEDED = {
    "images": ("id",),
    "annotations": ("image_id", "category_id"),
    "categories": ("id", "name"),
}
_INSTANCES = "instances_"


def is_coco(folder: Path) -> bool:
    """Return whether a .json file in the folder, or one below it, is filled as COCO's.

    Raises SourceError for one that cannot be read, or is no JSON to its end.
    """
    return bool(_files(folder))


def _files(folder: Path) -> list[Path]:
    # Settings of editors, and what macOS leaves beside a file, are hidden.
    files = sorted((*folder.glob("[!.]*.json"), *folder.glob("[!.]*/[!.]*.json")))
    return [file for file in files if file.is_file() and _has_annotations(file)]


def _has_annotations(file: Path) -> bool:
    text = _text(file)
    if '"annotations"' in text:
        return True
    _parsed(file, text)  # one that was cut short may have had them
    return False


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig", "replace")
    except OSError as error:
        raise SourceError(f"{file}: cannot read this file ({error})") from error


def _parsed(file: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SourceError(f"{file}: cannot read this file: is it whole? ({error})") from error


def read_coco(folder: Path) -> Dataset:
    """Return the data set; raises SourceError."""
    problems = Problems(folder)
    splits: dict[str, list[Annotated]] = defaultdict(list)
    classes: dict[str, None] = {}
    left_out: dict[str, int] = {}
    files = _files(folder)
    with_instances = {file.parent for file in files if file.name.startswith(_INSTANCES)}
    for file in files:
        is_other = file.parent in with_instances and not file.name.startswith(_INSTANCES)
        content = None if is_other else _content(file)
        if content is None:
            left_out[f"file of other annotations: {file.name}"] = 1
            continue
        used = {thing["category_id"] for thing in content["annotations"]}
        names = {kind["id"]: str(kind["name"]) for kind in content["categories"]}
        # Roboflow lists a category above its classes that no annotation has.
        classes |= dict.fromkeys(name for number, name in names.items() if number in used)
        splits[_split(file)] += _pictures(content, names, file, _places(folder, file), problems)
    if not splits:
        wanted = ", ".join(_NEEDED)
        raise SourceError(f"{files[0]}: no COCO annotations: {wanted} are expected")
    return finished(folder, classes, splits, problems, left_out)


def _content(file: Path) -> dict[str, list[dict[str, Any]]] | None:
    """Return a file's lists; None for what is no file of instances. Raises SourceError."""
    content = _parsed(file, _text(file))
    if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
        return None
    missing = [key for key in _NEEDED if not isinstance(content.get(key), list)]
    if missing == ["categories"] and _are_captions(content["annotations"]):
        return None
    if missing:
        raise SourceError(f"{file}: no COCO annotations: the list '{missing[0]}' is missing")
    for key, fields in _NEEDED.items():
        for number, item in enumerate(content[key], 1):
            for name in fields:
                if not isinstance(item, dict) or not isinstance(item.get(name), int | float | str):
                    raise SourceError(f"{file}: {key}, item {number}: '{name}' is missing")
    return {key: content[key] for key in _NEEDED}


def _are_captions(things: list[Any]) -> bool:
    return bool(things) and not any(isinstance(item, dict) and "bbox" in item for item in things)


def _split(file: Path) -> str:
    for word in (file.parent.name, *re.split(r"[^A-Za-z]+", file.stem)):
        split = split_named(word)
        if split is not None:
            return split
    return "train"


def _places(folder: Path, file: Path) -> list[Path]:
    """Return the folders in which a file's pictures may lie."""
    names = _split(file), file.stem.removeprefix(_INSTANCES)
    below = [root / name for root in (folder / "images", folder) for name in names]
    return [file.parent, file.parent / "images", folder / "images", *below]


def _pictures(
    content: dict[str, list[dict[str, Any]]],
    names: dict[Any, str],
    file: Path,
    places: Sequence[Path],
    problems: Problems,
) -> list[Annotated]:
    things: dict[Any, list[tuple[str, Box]]] = defaultdict(list)
    ignored: dict[Any, list[Box]] = defaultdict(list)
    sizes: dict[Any, tuple[int, int]] = {}
    paths: dict[Any, Path] = {}
    for image in content["images"]:
        choices = [place / str(image.get("file_name")) for place in places]
        path = next(filter(os.path.isfile, choices), choices[0])
        size = problems.size(path)
        if size is not None:
            sizes[image["id"]], paths[image["id"]] = size, path
    known = {image["id"] for image in content["images"]}
    for thing in content["annotations"]:
        picture, where = thing["image_id"], f"{problems.named(file)}, annotation {thing.get('id')}"
        name = names.get(thing["category_id"])
        if picture not in known:
            problems.add(f"{where}: no picture has the number {picture}")
        elif name is None:
            problems.add(f"{where}: unknown class {thing['category_id']}")
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


def _box(numbers: Any, size: tuple[int, int], where: str, problems: Problems) -> Box | None:
    try:
        x, y, width, height = map(float, numbers)
    except (TypeError, ValueError, OverflowError):
        problems.add(f"{where}: 'bbox' is not four numbers")
        return None
    return problems.box(Box.from_xywh(x, y, width, height), size, where)
