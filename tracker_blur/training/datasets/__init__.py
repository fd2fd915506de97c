"""Readers of annotated images as annotation tools export them: YOLO, COCO, Pascal VOC, CSV.

To add a layout, add a module with a test for the layout and a reader, and list both in `_LAYOUTS`.
Our own CSV layout comes before these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError
from tracker_blur.training.datasets._coco import is_coco, read_coco
from tracker_blur.training.datasets._table import is_table, read_table
from tracker_blur.training.datasets._voc import is_voc, read_voc
from tracker_blur.training.datasets._yolo import is_yolo, read_yolo
from tracker_blur.training.datasets.dataset import AnnotatedImage, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["AnnotatedImage", "Dataset", "read_dataset"]

_LAYOUTS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Dataset]], ...] = (
    (is_yolo, read_yolo),
    (is_coco, read_coco),
    (is_voc, read_voc),
)


def read_dataset(folder: Path, with_heads: bool = False) -> Dataset:
    """Return the dataset in a folder; no image is decoded.

    The files decide the layout: labels.csv (our own), data.yaml or classes.txt (YOLO), a .json with
    "annotations" (COCO), .xml files (Pascal VOC).

    Args:
        folder: The folder that holds it.
        with_heads: Read the rows of a labels.csv that label whole heads, too, as class "head".

    Raises:
        SourceError: The folder has none of these layouts, or its content is invalid: a box outside
            its image, an unknown class, a missing or broken image, a broken label file, a split
            without images, labels without their image, or no label at all. The message gives the
            first problem and the number of others.
        MissingPackageError: data.yaml needs PyYAML, which is not installed.
    """
    if folder.is_file():
        raise SourceError(f"{folder}: this is a file: give the folder that holds it")
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder: check the name")
    if is_table(folder):
        return read_table(folder, with_heads)
    for has_layout, read in _LAYOUTS:
        if has_layout(folder):
            return read(folder)
    raise SourceError(
        f"{folder}: no annotations found: export them as YOLO (data.yaml), COCO (.json) or Pascal "
        "VOC (.xml), or write a labels.csv"
    )
