"""Places are cut out with their surroundings, as large as elsewhere also at the border."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.verification.run import crop

PICTURE = np.full((200, 300, 3), 90, np.uint8)


@pytest.mark.parametrize("place", [(100, 80), (0, 0), (260, 160), (-10, 150)])
def test_a_crop_is_a_picture_of_the_place_and_as_much_around(place: tuple[int, int]) -> None:
    content = crop(PICTURE, Box.from_xywh(*place, 40, 40), marked=False)
    assert content is not None
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (160, 160, 3)
    assert np.abs(shown.astype(int) - 90).max() < 4


def test_the_place_is_marked() -> None:
    content = crop(PICTURE, Box(100, 80, 140, 120), marked=True)
    assert content is not None
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).astype(int)
    yellow = (shown[..., 2] - shown[..., 0]) > 80
    rows, columns = np.nonzero(yellow)
    assert (rows.min(), columns.min()) == pytest.approx((53, 53), abs=2)
    assert (rows.max(), columns.max()) == pytest.approx((107, 107), abs=2)


def test_outside_of_the_picture_there_is_nothing_to_see() -> None:
    assert crop(PICTURE, Box(-80, 10, -40, 50), marked=True) is None
