"""Frames are paired by their time, whatever the two rates and starts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tracker_blur.images.frame import ImageFrame
from tracker_blur.verification.run import paired


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
def test_the_nearest_time_counts_from_both_starts(
    rate: int, others: list[int], start: Fraction
) -> None:
    before = iter(frames(9, rate, start))
    pairs = list(paired(iter(frames(4, 25)), before))
    assert [other.index if other else None for _, other in pairs] == others
    assert next(before, None) is None  # all are counted


def test_a_shorter_video_ends_with_its_last_frame() -> None:
    pairs = paired(iter(frames(4, 25)), iter(frames(2, 25)))
    assert [other.index if other else None for _, other in pairs] == [0, 1, 1, 1]


def test_without_another_video_there_is_no_other_frame() -> None:
    assert [other for _, other in paired(iter(frames(2, 25)), iter([]))] == [None, None]
