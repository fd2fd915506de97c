"""Sets pictures aside to validate on, where a data set does not say which."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from pathlib import Path

from tracker_blur.training.datasets.annotated import Annotated, Dataset

_PER_THOUSAND = 80


def with_validation(dataset: Dataset) -> Dataset:
    """Return the data set with a split "val": where it has none, 8 % of "train" become it.

    Which ones is told by their names alone, so that a picture stays where it is when others are
    added. Of few pictures it is one at the least; a single one cannot be divided, and the data set
    is returned as it is.
    """
    pictures = dataset.splits.get("train", ())
    marks = {picture.path: _mark(picture, dataset.folder) for picture in pictures}
    if "val" in dataset.splits or len(marks) < 2:
        return dataset
    out = {path for path, mark in marks.items() if mark % 1000 < _PER_THOUSAND}
    if len(out) in (0, len(marks)):
        out = {min(marks, key=marks.__getitem__)}
    kept = tuple(picture for picture in pictures if picture.path not in out)
    held = tuple(picture for picture in pictures if picture.path in out)
    return replace(dataset, splits=dataset.splits | {"train": kept, "val": held})


def _mark(picture: Annotated, folder: Path) -> int:
    name = Path(os.path.relpath(picture.path, folder)).as_posix()
    return zlib.crc32(name.encode())
