"""Frames of two videos are paired by time; crops show a face and its surroundings."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tracker_blur.core.box import Box
from tracker_blur.images.frame import ImageFrame
from tracker_blur.verification.probed_frame import paired_by_time
from tracker_blur.verification.thumbnails import encode_jpeg, thumbnail

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

IMAGE = np.full((200, 300, 3), 90, np.uint8)


def decoded(shown: Image | None) -> npt.NDArray[np.int_]:
    assert shown is not None
    image = cv2.imdecode(np.frombuffer(encode_jpeg(shown), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.astype(int)


@pytest.mark.parametrize("place", [(100, 80), (0, 0), (260, 160), (-10, 150)])
def test_a_crop_shows_as_much_of_the_surroundings_at_the_border(place: tuple[int, int]) -> None:
    shown = decoded(thumbnail(IMAGE, Box.from_xywh(*place, 40, 40), is_marked=False))
    assert shown.shape == (160, 160, 3)
    assert np.abs(shown - 90).max() < 4


def test_the_box_is_drawn() -> None:
    shown = decoded(thumbnail(IMAGE, Box(100, 80, 140, 120), is_marked=True))
    yellow = (shown[..., 2] - shown[..., 0]) > 80
    rows, columns = np.nonzero(yellow)
    assert (rows.min(), columns.min()) == pytest.approx((53, 53), abs=2)
    assert (rows.max(), columns.max()) == pytest.approx((107, 107), abs=2)


def test_outside_of_the_frame_there_is_no_crop() -> None:
    assert thumbnail(IMAGE, Box(-80, 10, -40, 50), is_marked=True) is None


def frames(count: int, rate: int, start: Fraction = Fraction(0)) -> list[ImageFrame]:
    plane = np.zeros((2, 2), np.uint8)
    return [
        ImageFrame(
            (plane, plane, plane),
            index=index,
            pts=int(1000 * (start + Fraction(index, rate))),
            time_base=Fraction(1, 1000),
        )
        for index in range(count)
    ]


@pytest.mark.parametrize("start", [Fraction(0), Fraction(7, 2)])
@pytest.mark.parametrize(
    ("rate", "others"), [(25, [0, 1, 2, 3]), (50, [0, 2, 4, 6]), (10, [0, 0, 1, 1]), (1, [0] * 4)]
)
def test_frames_are_paired_with_the_nearest_time_from_both_starts(
    rate: int, others: list[int], start: Fraction
) -> None:
    before = iter(frames(9, rate, start))
    pairs = list(paired_by_time(iter(frames(4, 25)), before))
    assert [other.index if other else None for _, other in pairs] == others
    assert next(before, None) is None  # all are consumed


def test_a_shorter_video_repeats_its_last_frame() -> None:
    pairs = paired_by_time(iter(frames(4, 25)), iter(frames(2, 25)))
    assert [other.index if other else None for _, other in pairs] == [0, 1, 1, 1]


def test_without_another_video_there_is_no_other_frame() -> None:
    assert [other for _, other in paired_by_time(iter(frames(2, 25)), iter([]))] == [None, None]
