"""Our own CSV layout: labels.csv with the columns file, split, style, boxes and ignore.

Boxes are "x1 y1 x2 y2" in pixels, joined by ";". `style` is the class of all boxes of an image, or
"none" for an image without objects. Rows with whole heads ("head") are skipped by default: a
detector that learns them together with faces learns neither.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

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
    from pathlib import Path

_FILE_NAME = "labels.csv"
_COLUMNS = ("file", "split", "style", "boxes", "ignore")
_NO_OBJECTS, _HEADS = "none", "head"


def is_table(folder: Path) -> bool:
    """Return whether the folder holds a labels.csv."""
    return (folder / _FILE_NAME).is_file()


def read_table(folder: Path, with_heads: bool = False) -> Dataset:
    """Return the dataset, with or without rows of whole heads; raises SourceError."""
    problems = Problems(folder)
    splits: dict[str, list[AnnotatedImage]] = defaultdict(list)
    skipped: Counter[str] = Counter()
    classes: dict[str, None] = {}
    for number, row in enumerate(_rows(folder / _FILE_NAME), 2):
        where = f"{_FILE_NAME}, line {number}"
        if any(row[name] is None for name in _COLUMNS):
            problems.add(f"{where}: has fewer cells than the first line")
            continue
        split = split_from_name(row["split"])
        if split is None:
            problems.add(f"{where}: unknown split '{row['split']}': use train, val or test")
            continue
        if row["style"] == _HEADS and not with_heads:
            skipped["whole heads"] += 1
            continue
        size = problems.image_size(folder / row["file"])
        if size is None:
            continue
        if row["style"] != _NO_OBJECTS:
            classes[row["style"]] = None
        boxes = _boxes(row["boxes"], size, where, problems)
        ignored = _boxes(row["ignore"], size, where, problems)
        if row["style"] == _NO_OBJECTS and boxes:
            problems.add(f"{where}: an image of the style 'none' has boxes")
        objects = tuple((row["style"], box) for box in boxes)
        is_empty = row["style"] == _NO_OBJECTS and not ignored
        splits[split].append(
            AnnotatedImage(folder / row["file"], size, objects, tuple(ignored), is_empty)
        )
    return build_dataset(folder, classes, splits, problems, dict(skipped))


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            columns, rows = table.fieldnames or (), list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: cannot read this table ({reason_of(error)})") from error
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise SourceError(f"{path}: no column {', '.join(missing)}")
    return rows


def _boxes(text: str, size: tuple[int, int], where: str, problems: Problems) -> list[Box]:
    boxes = []
    for part in filter(None, text.split(";")):
        try:
            left, top, right, bottom = map(float, part.split())
        except ValueError:
            problems.add(f"{where}: '{part}' is not a box: give four numbers")
            continue
        box = problems.clipped_box(Box(left, top, right, bottom), size, where)
        if box is not None:
            boxes.append(box)
    return boxes
