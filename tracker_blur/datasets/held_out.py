"""Sets pictures aside to validate on, where a data set does not say which."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from pathlib import Path

from tracker_blur.datasets.annotated import Annotated, Dataset

_PER_THOUSAND = 80


def with_validation(dataset: Dataset) -> Dataset:
    """Return the data set with a split "val": where it has none, 8 % of "train" become it.

    Which ones is told by their names alone, so that a picture stays where it is when others are
    added. Where there are too few pictures for two splits, the data set is returned as it is.
    """
    pictures = dataset.splits.get("train", ())
    out = tuple(picture for picture in pictures if _is_held_out(picture, dataset.folder))
    if "val" in dataset.splits or len(out) in (0, len(pictures)):
        return dataset
    kept = tuple(picture for picture in pictures if not _is_held_out(picture, dataset.folder))
    return replace(dataset, splits=dataset.splits | {"train": kept, "val": out})


def _is_held_out(picture: Annotated, folder: Path) -> bool:
    name = Path(os.path.relpath(picture.path, folder)).as_posix()
    return zlib.crc32(name.encode()) % 1000 < _PER_THOUSAND
