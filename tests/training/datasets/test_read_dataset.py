"""Finding the layout of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import write_yolo
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import read_dataset

if TYPE_CHECKING:
    from pathlib import Path


def test_folders_without_annotations_are_reported(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no annotations found"):
        read_dataset(tmp_path)
    with pytest.raises(SourceError, match="no such folder"):
        read_dataset(tmp_path / "missing")


def test_a_file_instead_of_a_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"data\.yaml: this is a file: give the folder that holds it"
    ):
        read_dataset(write_yolo(tmp_path) / "data.yaml")
