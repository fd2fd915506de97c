"""Pictures in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.annotated_files import BOX, SIZE, picture, write_picture
from tracker_blur.core.box import Box
from tracker_blur.training.data import scenes
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.run import sheet, write_curves, write_jpeg


def test_other_classes_are_ignored_regions(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "a.png")
    things = ("face", BOX), ("badge", Box(0, 0, 9, 9))
    (loaded,) = scenes([Annotated(file, SIZE, things)], ["face"])
    np.testing.assert_array_equal(loaded.image, picture())
    np.testing.assert_array_equal(loaded.boxes, [BOX.as_tuple()])
    np.testing.assert_array_equal(loaded.ignored, [(0, 0, 9, 9)])


def test_large_pictures_are_reduced_with_their_boxes(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "a.png", picture(size=(1280, 320)))
    (loaded,) = scenes([Annotated(file, (1280, 320), (("face", BOX),))], ["face"])
    assert loaded.image.shape == (160, 640, 3)
    np.testing.assert_allclose(loaded.boxes, [BOX.scaled(0.5, 0.5).as_tuple()])


def test_sheets_and_curves_are_pictures(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "a.png")
    loaded = list(scenes([Annotated(file, SIZE, (("face", BOX),))] * 9, ["face"]))
    image = sheet(loaded)
    assert image.shape == (400, 1600, 3)
    write_jpeg(image, tmp_path / "sheet.jpg")
    row = {"step": 1.0, "seconds": 1.0, "score_loss": 1.0, "box_loss": 2.0}
    write_curves([row, row | {"step": 2.0, "ap50": 0.5}], tmp_path / "curves.png")
    assert (tmp_path / "sheet.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert (tmp_path / "curves.png").read_bytes()[1:4] == b"PNG"
