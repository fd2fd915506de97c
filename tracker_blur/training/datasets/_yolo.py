"""YOLO layout: one .txt file per image, a line per object: class number, center, width, height.

Coordinates are fractions of the image's sides. Polygons (class number, then x and y of three points
or more) become the box around them. The class names are in data.yaml (Ultralytics, Roboflow, CVAT)
or classes.txt (Label Studio). Label files lie next to the images, or in a folder `labels` where the
images lie in a folder `images`.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from tracker_blur.core.box import Box
from tracker_blur.errors import MissingPackageError, SourceError, reason_of
from tracker_blur.training.datasets.dataset import (
    AnnotatedImage,
    Dataset,
    Problems,
    build_dataset,
    images_in,
    split_from_name,
)

_CLASSES_FILE = "classes.txt"
_QUOTED_CHARACTERS = 40  # of a line, in messages


def is_yolo(folder: Path) -> bool:
    """Return whether the folder holds a data.yaml or classes.txt."""
    return _config_file(folder) is not None or (folder / _CLASSES_FILE).is_file()


def read_yolo(folder: Path) -> Dataset:
    """Return the dataset; raises SourceError, and MissingPackageError without PyYAML."""
    problems = Problems(folder)
    config_file = _config_file(folder)
    config = _read_config(config_file) if config_file else {}
    classes = _classes(config, folder)
    locations = {
        split: config[key]
        for key in ("train", "val", "valid", "test")
        if config.get(key) and (split := split_from_name(key))
    }
    root = folder / str(config.get("path") or "")
    splits: dict[str, list[AnnotatedImage]] = {}
    skipped: dict[str, int] = {}
    for split, location in (locations or {"train": "."}).items():
        parts = location if isinstance(location, list) else [location]
        paths = [path for part in parts if (path := _existing(folder, root, str(part)))]
        if split == "test" and not paths:  # Roboflow names one that it has not exported
            skipped["split whose folder is missing: test"] = 1
            continue
        images = [image for path in paths for image in _image_paths(folder, root, path)]
        annotated = (_annotated_image(image, classes, problems) for image in images)
        splits[split] = [image for image in annotated if image is not None]
        for path in filter(Path.is_dir, paths):
            for file in _labels_without_image(path):
                problems.add(f"{problems.relative(file)}: the image of these labels is missing")
    return build_dataset(folder, classes, splits, problems, skipped)


def _config_file(folder: Path) -> Path | None:
    candidates = [folder / "data.yaml", folder / "data.yml", *sorted(folder.glob("*.yaml"))]
    return next((file for file in candidates if file.is_file()), None)


def _read_config(file: Path) -> dict[str, Any]:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise MissingPackageError("pyyaml", "train", f"reading {file.name}") from error
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(reason_of(error).split())
        raise SourceError(f"{file}: cannot read this file ({reason})") from error
    if not isinstance(content, dict):
        raise SourceError(f"{file}: this is not the configuration of a YOLO dataset")
    return content


def _classes(config: dict[str, Any], folder: Path) -> tuple[str, ...]:
    names = config.get("names")
    if isinstance(names, dict):
        try:
            return tuple(str(names[number]) for number in range(len(names)))
        except KeyError as error:
            raise SourceError(f"{folder}: the class numbers in data.yaml have gaps") from error
    if isinstance(names, list):
        return tuple(map(str, names))
    try:
        text = (folder / _CLASSES_FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{folder}: no class names in data.yaml or {_CLASSES_FILE}") from error
    return tuple(filter(None, map(str.strip, text.splitlines())))


def _existing(folder: Path, root: Path, location: str) -> Path | None:
    """Return the folder of a split's images, or the list of them."""
    # Roboflow writes "../train/images" and means "train/images"; others mean what they write.
    candidates = (root / location, folder / location, folder / location.removeprefix("../"))
    return next((path for path in candidates if path.exists()), None)


def _image_paths(folder: Path, root: Path, location: Path) -> list[Path]:
    if location.is_dir():
        return images_in(location)
    try:
        lines = location.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{location}: cannot read this list of images ({reason_of(error)})"
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    candidates = [(root / name, folder / name) for name in names]
    return [next(filter(os.path.isfile, paths), paths[0]) for paths in candidates]


def _label_file(image: Path) -> Path:
    parts = list(image.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _labels_without_image(folder: Path) -> list[Path]:
    """Return the label files that belong to a folder of images but to none of its images."""
    known = set(map(_label_file, images_in(folder)))
    files = sorted(_label_file(folder / "any").parent.rglob("*.txt"))
    return [file for file in files if file not in known and _holds_labels(file)]


def _holds_labels(file: Path) -> bool:
    """Return whether a text begins with a label; lists, notes and classes.txt do not."""
    try:
        words = file.read_text(encoding="utf-8-sig").split(maxsplit=5)[:5]
        return len(list(map(float, words))) == 5
    except (OSError, ValueError):
        return False


def _annotated_image(
    path: Path, classes: tuple[str, ...], problems: Problems
) -> AnnotatedImage | None:
    size = problems.image_size(path)
    if size is None:
        return None
    file = _label_file(path)
    # An image with an empty label file, or with none, has no objects. The empty file says so.
    is_labeled = file.is_file()
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines() if is_labeled else []
    except (OSError, UnicodeDecodeError) as error:
        problems.add(f"{file}: cannot read these labels ({reason_of(error)})")
        return None
    objects = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            quoted = line
            if len(line) > _QUOTED_CHARACTERS:
                quoted = f"{line[:_QUOTED_CHARACTERS]}..."
            where = f"{problems.relative(file)}, line {number}: {quoted!r}"
            labeled = _object(line.split(), classes, size, where, problems)
            if labeled is not None:
                objects.append(labeled)
    is_empty = is_labeled and not any(map(str.strip, lines))
    return AnnotatedImage(path, size, tuple(objects), is_empty=is_empty)


def _object(
    words: list[str],
    classes: tuple[str, ...],
    size: tuple[int, int],
    where: str,
    problems: Problems,
) -> tuple[str, Box] | None:
    try:
        number, fractions = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        problems.add(f"{where}: expected a class number and coordinates")
        return None
    if not 0 <= number < len(classes):
        problems.add(f"{where}: unknown class {number}: {len(classes)} classes are named")
        return None
    if len(fractions) == 4:
        x, y, width, height = fractions
        box = Box.around((x, y), width, height)
    elif len(fractions) >= 6 and len(fractions) % 2 == 0:
        xs, ys = fractions[::2], fractions[1::2]
        box = Box(min(xs), min(ys), max(xs), max(ys))
    else:
        problems.add(f"{where}: {len(fractions)} coordinates are neither a box nor a polygon")
        return None
    clipped = problems.clipped_box(box.scaled(*size), size, where)
    return None if clipped is None else (classes[number], clipped)
