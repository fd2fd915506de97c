"""Our own table: labels.csv with the columns file, split, style, boxes and ignore.

Boxes are "x1 y1 x2 y2" in pixels, joined by ";". `style` names the class of all of a picture's
boxes; "none" has none. Whole heads ("head") are left out: a net that learns them beside faces
learns neither.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets.annotated import (
    Annotated,
    Dataset,
    Problems,
    finished,
    split_named,
)

_FILE_NAME = "labels.csv"
_COLUMNS = ("file", "split", "style", "boxes", "ignore")
_EMPTY, _LEFT_OUT = "none", "head"


def is_table(folder: Path) -> bool:
    """Return whether the folder holds a labels.csv."""
    return (folder / _FILE_NAME).is_file()


def read_table(folder: Path) -> Dataset:
    """Return the data set; raises SourceError."""
    problems = Problems(folder)
    splits: dict[str, list[Annotated]] = defaultdict(list)
    left_out: Counter[str] = Counter()
    classes: dict[str, None] = {}
    try:
        with (folder / _FILE_NAME).open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            columns, rows = table.fieldnames or (), list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{folder / _FILE_NAME}: cannot read this table ({error})") from error
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise SourceError(f"{folder / _FILE_NAME}: no column {', '.join(missing)}")
    for number, row in enumerate(rows, 2):
        where = f"{_FILE_NAME}, line {number}"
        if any(row[name] is None for name in _COLUMNS):
            problems.add(f"{where}: has fewer cells than the first line")
            continue
        split = split_named(row["split"])
        if split is None:
            problems.add(f"{where}: unknown split '{row['split']}': train, val and test are known")
            continue
        if row["style"] == _LEFT_OUT:
            left_out["whole heads"] += 1
            continue
        size = problems.size(folder / row["file"])
        if size is None:
            continue
        if row["style"] != _EMPTY:
            classes[row["style"]] = None
        things = _boxes(row["boxes"], size, where, problems)
        ignored = _boxes(row["ignore"], size, where, problems)
        if row["style"] == _EMPTY and things:
            problems.add(f"{where}: boxes in a picture of the style 'none'")
        named = tuple((row["style"], box) for box in things)
        splits[split].append(Annotated(folder / row["file"], size, named, tuple(ignored)))
    return finished(folder, classes, splits, problems, dict(left_out))


def _boxes(text: str, size: tuple[int, int], where: str, problems: Problems) -> list[Box]:
    found = []
    for part in filter(None, text.split(";")):
        try:
            left, top, right, bottom = map(float, part.split())
        except ValueError:
            problems.add(f"{where}: '{part}' is no box: four numbers are")
            continue
        box = problems.box(Box(left, top, right, bottom), size, where)
        if box is not None:
            found.append(box)
    return found
