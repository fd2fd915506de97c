"""Boxes in all the forms that callers have, as detections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tracker_blur.annotations.supervision import to_supervision
from tracker_blur.api.boxes import check_pixels, detections_of
from tracker_blur.core.box import Box, Detection
from tracker_blur.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPECTED = [Detection(Box(1, 2, 30, 40), 0.5), Detection(Box(5, 6, 70, 80), 1.0)]
ROWS = [(1, 2, 30, 40, 0.5), (5, 6, 70, 80)]


@pytest.mark.parametrize(
    "boxes",
    [
        EXPECTED,
        ROWS,
        iter(ROWS),
        [list(row) for row in ROWS],
        [np.array(row, np.float32) for row in ROWS],
        np.array([(*ROWS[0],), (*ROWS[1], 1.0)], np.float32),
        [EXPECTED[0], EXPECTED[1].box],
        {EXPECTED[0]: 1, EXPECTED[1]: 2}.keys(),
    ],
    ids=["detections", "rows", "iterator", "lists", "arrays", "array", "mixed", "keys"],
)
def test_every_form_gives_the_same_detections(boxes: Any) -> None:
    assert detections_of(boxes, "boxes") == EXPECTED


@pytest.mark.parametrize("boxes", [[], (), np.empty((0, 4)), np.array([]), iter([])])
def test_no_boxes_are_no_detections(boxes: Any) -> None:
    assert detections_of(boxes, "boxes") == []


def test_supervisions_detections_keep_score_and_class() -> None:
    pytest.importorskip("supervision", reason="needs the extra [supervision]")
    faces = [Detection(Box(1, 2, 3, 4), 0.25, "plate"), Detection(Box(5, 6, 7, 8), 0.75)]
    assert detections_of(to_supervision(faces), "boxes") == faces
    assert detections_of(to_supervision([]), "boxes") == []


def test_supervisions_detections_of_other_programs_need_only_boxes() -> None:
    supervision = pytest.importorskip("supervision", reason="needs the extra [supervision]")
    boxes = supervision.Detections(xyxy=np.array([[1.0, 2, 30, 40]]))
    assert detections_of(boxes, "boxes", "badge") == [Detection(Box(1, 2, 30, 40), 1.0, "badge")]


def test_a_score_that_rounding_put_above_one_is_one() -> None:
    assert detections_of([(1, 2, 3, 4, 1.0005)], "boxes")[0].score == 1.0


class LikeSupervision:
    """Has the attributes of `supervision.Detections`, but not their content."""

    xyxy = np.array([[1, 2, 3, 4]])
    confidence = None

    def __init__(self, data: object) -> None:
        self.data = data

    def __iter__(self) -> Iterator[object]:
        return iter(())


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (None, "boxes is None: give a list"),
        (3, "boxes is 3: give a list"),
        ("1,2,3,4", "give a list"),
        ({"box": (1, 2, 3, 4)}, "give a list"),
        (EXPECTED[0], "give a list"),
        ((1, 2, 30, 40), "boxes has 1: give a list"),
        (np.zeros(4), "boxes has 0.0: give a list"),
        (np.zeros((2, 3)), "give a list"),
        (np.zeros((2, 6)), "give a list"),
        (np.zeros((1, 4), bool), "give a list"),
        ([(1, 2, 3)], "give a list"),
        (["face"], "give a list"),
        ([(1, 2, "3", 4)], "give a list"),
        ([None], "give a list"),
        ([(300, 200, 40, 50)], "in the order left, top, right, bottom"),
        ([(1, 2, float("nan"), 4)], "finite pixels"),
        ([(1, 2, float("inf"), 4)], "finite pixels"),
        ([Box(9, 2, 3, 4)], "in the order left, top, right, bottom"),
        ([(1, 2, 3, 4, 87.0)], "the score 87.0: give a number from 0 to 1"),
        ([(1, 2, 3, 4, -0.1)], "from 0 to 1"),
        ([(1, 2, 3, 4, float("nan"))], "from 0 to 1"),
        ([(1, 2, 10**400, 4)], "give a list"),
        (LikeSupervision(None), "give a list"),
        (LikeSupervision({"class_name": ()}), "give a list"),
    ],
)
def test_any_other_form_is_an_input_error(boxes: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        detections_of(boxes, "boxes")
    assert "\n" not in str(caught.value)


def test_shares_of_the_image_are_no_pixels() -> None:
    shares = [Detection(Box(0.1, 0.2, 0.3, 0.4), 1.0)]
    with pytest.raises(InputError, match="give pixels, not shares of the image"):
        check_pixels(shares, (640, 360), "boxes")
    check_pixels(shares, (1, 1), "boxes")  # there is nothing else
    check_pixels([Detection(Box(0.1, 0.2, 1.3, 2.4), 1.0)], (640, 360), "boxes")
