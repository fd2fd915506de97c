"""YOLO: a .txt file a picture, with lines of class number, center x and y, width and height.

Numbers are shares of the picture's sides. Polygons (class number, then x and y of three points or
more) count as the box around them. The classes stand in data.yaml (Ultralytics, Roboflow, CVAT) or
classes.txt (Label Studio). Labels lie beside the pictures, or in a folder `labels` where the
pictures lie in a folder `images`.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from tracker_blur.core.box import Box
from tracker_blur.errors import MissingPackageError, SourceError
from tracker_blur.training.datasets.annotated import (
    Annotated,
    Dataset,
    Problems,
    finished,
    pictures_in,
    split_named,
)

_CLASSES_FILE = "classes.txt"
_LONGEST = 40  # of a line, in messages


def is_yolo(folder: Path) -> bool:
    """Return whether the folder holds a data.yaml or classes.txt."""
    return _settings_file(folder) is not None or (folder / _CLASSES_FILE).is_file()


def read_yolo(folder: Path) -> Dataset:
    """Return the data set; raises SourceError, and MissingPackageError without PyYAML."""
    problems = Problems(folder)
    file = _settings_file(folder)
    settings = _settings(file) if file else {}
    classes = _classes(settings, folder)
    places = {
        split: settings[key]
        for key in ("train", "val", "valid", "test")
        if settings.get(key) and (split := split_named(key))
    }
    root = folder / str(settings.get("path") or "")
    splits: dict[str, list[Annotated]] = {}
    left_out: dict[str, int] = {}
    for split, place in (places or {"train": "."}).items():
        parts = place if isinstance(place, list) else [place]
        found = [path for part in parts if (path := _found(folder, root, str(part)))]
        if split == "test" and not found:  # Roboflow names one that it has not exported
            left_out["split whose folder is missing: test"] = 1
            continue
        pictures = [picture for path in found for picture in _pictures(folder, root, path)]
        read = (_annotated(picture, classes, problems) for picture in pictures)
        splits[split] = [picture for picture in read if picture is not None]
        for path in filter(Path.is_dir, found):
            for file in _without_picture(path):
                problems.add(f"{problems.named(file)}: the picture of these labels is missing")
    return finished(folder, classes, splits, problems, left_out)


def _settings_file(folder: Path) -> Path | None:
    named = [folder / "data.yaml", folder / "data.yml", *sorted(folder.glob("*.yaml"))]
    return next((file for file in named if file.is_file()), None)


def _settings(file: Path) -> dict[str, Any]:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise MissingPackageError("pyyaml", "train", f"reading {file.name}") from error
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"{file}: cannot read this file ({reason})") from error
    if not isinstance(content, dict):
        raise SourceError(f"{file}: no settings of a YOLO data set")
    return content


def _classes(settings: dict[str, Any], folder: Path) -> tuple[str, ...]:
    names = settings.get("names")
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


def _found(folder: Path, root: Path, place: str) -> Path | None:
    """Return where a split's pictures lie, or their list."""
    # Roboflow writes "../train/images" and means "train/images"; others mean what they write.
    choices = (root / place, folder / place, folder / place.removeprefix("../"))
    return next((choice for choice in choices if choice.exists()), None)


def _pictures(folder: Path, root: Path, found: Path) -> list[Path]:
    if found.is_dir():
        return pictures_in(found)
    try:
        lines = found.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{found}: cannot read this list of pictures ({error})") from error
    named = [line.strip() for line in lines if line.strip()]
    places = [(root / name, folder / name) for name in named]
    return [next(filter(os.path.isfile, choices), choices[0]) for choices in places]


def _label_file(picture: Path) -> Path:
    parts = list(picture.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _without_picture(pictures: Path) -> list[Path]:
    """Return the files of labels of a folder of pictures that belong to none of them."""
    known = set(map(_label_file, pictures_in(pictures)))
    files = sorted(_label_file(pictures / "any").parent.rglob("*.txt"))
    return [file for file in files if file not in known and _holds_labels(file)]


def _holds_labels(file: Path) -> bool:
    """Return whether a text begins with a label; lists, notes and classes.txt do not."""
    try:
        words = file.read_text(encoding="utf-8-sig").split(maxsplit=5)[:5]
        return len(list(map(float, words))) == 5
    except (OSError, ValueError):
        return False


def _annotated(picture: Path, classes: tuple[str, ...], problems: Problems) -> Annotated | None:
    size = problems.size(picture)
    if size is None:
        return None
    file = _label_file(picture)
    # Without a file, or in an empty one, a picture is one with nothing to find.
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else []
    except (OSError, UnicodeDecodeError) as error:
        problems.add(f"{file}: cannot read these labels ({error})")
        return None
    things = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            short = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
            where = f"{problems.named(file)}, line {number}: {short!r}"
            thing = _thing(line.split(), classes, size, where, problems)
            if thing is not None:
                things.append(thing)
    return Annotated(picture, size, tuple(things))


def _thing(
    words: list[str],
    classes: tuple[str, ...],
    size: tuple[int, int],
    where: str,
    problems: Problems,
) -> tuple[str, Box] | None:
    try:
        number, shares = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        problems.add(f"{where}: a class number and numbers are expected")
        return None
    if not 0 <= number < len(classes):
        problems.add(f"{where}: unknown class {number}: {len(classes)} are named")
        return None
    if len(shares) == 4:
        x, y, width, height = shares
        box = Box.around((x, y), width, height)
    elif len(shares) >= 6 and len(shares) % 2 == 0:
        box = Box(min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2]))
    else:
        problems.add(f"{where}: {len(shares)} numbers are neither a box nor a polygon")
        return None
    cut = problems.box(box.scaled(*size), size, where)
    return None if cut is None else (classes[number], cut)
