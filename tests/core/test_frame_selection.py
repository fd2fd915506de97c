"""Which frames of a video are chosen."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tracker_blur.core.frame_selection import FrameSelection
from tracker_blur.errors import SettingsError
from tracker_blur.images.frame import ImageFrame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EVEN = tuple(range(0, 500, 50))  # milliseconds: 10 frames, 20 a second
UNEVEN = (0, 10, 20, 400, 900, 910)


def frames(times: Sequence[int], read: list[int], start: int = 7000) -> Iterator[ImageFrame]:
    """Yield frames at these milliseconds, and note which were read."""
    for index, time in enumerate(times):
        read.append(index)
        plane = np.zeros((2, 2), np.uint8)
        yield ImageFrame((plane,), index=index, pts=start + time, time_base=Fraction(1, 1000))


def chosen(times: Sequence[int], places: Sequence[str] = (), every: str | None = None) -> list[int]:
    return [frame.index for frame, _ in FrameSelection(places, every).of(frames(times, []))]


@pytest.mark.parametrize(
    ("times", "places", "every", "expected"),
    [
        (EVEN, (), None, list(range(10))),
        (EVEN, ("3",), None, [3]),
        (EVEN, ("3", "0.15s", "0:00.199"), None, [3]),
        (EVEN, ("9", "0", "0.05s"), None, [0, 1, 9]),
        (EVEN, ("1:00:00",), None, [9]),
        (EVEN, (), "4", [0, 4, 8]),
        (EVEN, (), "0.2s", [0, 4, 8]),
        (EVEN, (), "0.12s", [0, 3, 5, 8]),
        (UNEVEN, ("0.3s", "0.399s"), None, [2]),
        (UNEVEN, (), "0.1s", [0, 3, 4]),
        (UNEVEN, (), "10s", [0]),
        ((0,), ("5s",), None, [0]),
        ((), ("5s",), None, []),
    ],
)
def test_frames_are_chosen_by_number_and_by_time(
    times: Sequence[int], places: Sequence[str], every: str | None, expected: list[int]
) -> None:
    assert chosen(times, places, every) == expected


def test_times_count_from_the_first_frame() -> None:
    found = list(FrameSelection(("0.2s",)).of(frames(EVEN, [])))
    assert [(frame.index, seconds) for frame, seconds in found] == [(4, Fraction(1, 5))]


def test_nothing_is_read_after_the_last_chosen_frame_and_its_end() -> None:
    read: list[int] = []
    assert len(list(FrameSelection(("2", "0.12s")).of(frames(EVEN, read)))) == 1
    assert read == [0, 1, 2, 3]


def test_a_frame_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(SettingsError, match="there is no frame 10: the last frame is 9"):
        chosen(EVEN, ("1", "10", "12"))


@pytest.mark.parametrize("every", ["0", "0s", "-1", "often", "1.5"])
def test_an_interval_that_makes_no_sense_is_an_error(every: str) -> None:
    with pytest.raises(SettingsError):
        FrameSelection((), every)


@pytest.mark.parametrize(
    ("places", "is_one"), [(("3",), True), (("3", "3"), True), (("3", "1s"), False), ((), False)]
)
def test_one_place_is_one_frame(places: tuple[str, ...], is_one: bool) -> None:
    assert FrameSelection(places).is_one is is_one
