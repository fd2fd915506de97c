"""Pictures that are sent faster than they are to be shown are noticed, once."""

from __future__ import annotations

from itertools import accumulate, repeat

import pytest

from tracker_blur.realtime.capture import FasterThanRealtime


def news(stamps: list[float | None], times: list[float]) -> list[int]:
    """Return the numbers of the pictures at which haste is noticed."""
    haste = FasterThanRealtime()
    return [
        index
        for index, (stamp, now) in enumerate(zip(stamps, times, strict=True))
        if haste.is_news(stamp, now)
    ]


def evenly(step: float, count: int = 200) -> list[float]:
    return list(accumulate(repeat(step, count - 1), initial=1000.0))


@pytest.mark.parametrize("step", [0.001, 0.02])
def test_twice_as_fast_and_faster_is_noticed_once(step: float) -> None:
    (index,) = news([*evenly(0.04)], evenly(step))
    assert 50 < index < 150


@pytest.mark.parametrize("step", [0.04, 0.05, 1.0])
def test_what_comes_in_time_or_late_is_no_haste(step: float) -> None:
    assert news([*evenly(0.04)], evenly(step)) == []


def test_a_burst_after_a_pause_is_no_haste() -> None:
    times = [1000.0 + 2 * (index // 50) for index in range(200)]
    assert news([*evenly(0.04)], times) == []


def test_pictures_of_one_second_that_were_kept_are_no_haste() -> None:
    assert news([*evenly(0.04)], [1000.0] * 25 + evenly(0.04, 175)) == []


@pytest.mark.parametrize("jump", [5000.0, -500.0])
def test_a_clock_that_is_set_anew_tells_nothing(jump: float) -> None:
    assert news([1.0, 1.04, 1.04 + jump, 1.08 + jump], [0.0, 0.04, 0.08, 0.12]) == []


def test_without_stamps_nothing_is_known() -> None:
    assert news([None] * 200, evenly(0.001)) == []
