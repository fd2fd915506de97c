"""Annotated pictures as annotation tools export them: YOLO, COCO JSON, Pascal VOC, our own CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tracker_blur.errors import SourceError
from tracker_blur.training.datasets._coco import is_coco, read_coco
from tracker_blur.training.datasets._table import is_table, read_table
from tracker_blur.training.datasets._voc import is_voc, read_voc
from tracker_blur.training.datasets._yolo import is_yolo, read_yolo
from tracker_blur.training.datasets.annotated import Annotated, Dataset

__all__ = ["Annotated", "Dataset", "read_dataset"]

_LAYOUTS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Dataset]], ...] = (
    (is_table, read_table),
    (is_yolo, read_yolo),
    (is_coco, read_coco),
    (is_voc, read_voc),
)


def read_dataset(folder: Path) -> Dataset:
    """Return what a folder of annotated pictures holds; no picture is decoded.

    The layout is told by the files: labels.csv, data.yaml or classes.txt (YOLO), a .json with
    "annotations" (COCO), .xml files (Pascal VOC).

    Raises SourceError when there is no such layout, or for what makes no sense in it: a box outside
    its picture, an unknown class, a missing or broken picture, a broken file of labels, a split
    without pictures, labels without their picture, nothing labelled at all. The message counts the
    problems and tells the first. MissingPackageError when YOLO's data.yaml needs PyYAML.
    """
    if folder.is_file():
        raise SourceError(f"{folder}: is a file: give the folder it lies in")
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder: check the name")
    for is_this, read in _LAYOUTS:
        if is_this(folder):
            return read(folder)
    raise SourceError(
        f"{folder}: no annotations found: export them as YOLO (data.yaml), COCO (.json), Pascal "
        "VOC (.xml), or write a labels.csv"
    )
