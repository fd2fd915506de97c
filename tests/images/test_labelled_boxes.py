"""Boxes with labels in a picture."""

from __future__ import annotations

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.predictions import Prediction
from tracker_blur.images.labelled_boxes import _BOX_BGR, draw


@pytest.mark.parametrize("size", [(100, 80), (1600, 1200)])
def test_a_box_is_drawn_with_its_label_above_and_nothing_inside(size: tuple[int, int]) -> None:
    width, height = size
    image = np.full((height, width, 3), 60, np.uint8)
    box = Box(width * 0.25, height * 0.5, width * 0.75, height * 0.9)
    draw(image, [Prediction(box, 0.5, "face")])
    changed = (image != 60).any(axis=2)
    left, top, right, bottom = map(round, box.as_tuple())
    assert tuple(image[(top + bottom) // 2, left].tolist()) == _BOX_BGR
    assert changed[top, left:right].all()
    assert changed[:top, left:right].any(), "the label"
    assert not changed[top + 5 : bottom - 5, left + 5 : right - 5].any()


@pytest.mark.parametrize("box", [Box(0, 0, 100, 80), Box(90, 0, 100, 5), Box(0, 70, 10, 80)])
def test_labels_at_the_borders_stay_in_the_picture(box: Box) -> None:
    image = np.zeros((80, 100, 3), np.uint8)
    draw(image, [Prediction(box, 1.0, "Gesicht ß 顔")])
    filled = (image == _BOX_BGR).all(axis=2)
    assert filled.sum() > 100
