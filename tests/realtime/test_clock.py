"""The clock of captured frames, and sources that are faster than real time."""

from __future__ import annotations

from itertools import accumulate, pairwise, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.realtime.clock import FasterThanRealtime, SessionClock
from tracker_blur.realtime.settings import LiveTiming


@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.2),
            st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(0.0)),
        )
    )
)
def test_times_of_frames_only_rise_and_stay_near_their_arrival(
    arrivals: list[tuple[float, float | None]],
) -> None:
    clock, now, last = SessionClock(LiveTiming()), 0.0, -1.0
    for count, (wait, timestamp) in enumerate(arrivals):
        now += wait
        seconds = clock.frame_seconds(timestamp, now)
        assert seconds > last
        assert now - 1.001 <= seconds <= now + 0.001 * (count + 1) + 1e-6
        last = seconds


def test_jitter_does_not_move_times() -> None:
    clock = SessionClock(LiveTiming())
    delays = [0.0, 0.02, 0.0, 0.05, 0.01, 0.03]
    times = [
        clock.frame_seconds(90 + index / 25, index / 25 + delay)
        for index, delay in enumerate(delays)
    ]
    steps = [after - before for before, after in pairwise(times)]
    assert steps == pytest.approx([0.04] * 5)


def test_late_audio_does_not_move_the_frames() -> None:
    clock = SessionClock(LiveTiming())
    assert clock.frame_seconds(10.0, 1.0) == 1.0
    assert clock.audio_seconds(8.0, 1.02) == pytest.approx(-1.0)
    assert clock.frame_seconds(10.04, 1.04) == pytest.approx(1.04)
    assert clock.audio_seconds(5010.0, 1.05) == pytest.approx(1.05)  # from a clock that was reset


def first_early_frames(timestamps: list[float | None], arrivals: list[float]) -> list[int]:
    """Return the indices of the frames at which the source is first found too fast."""
    speed = FasterThanRealtime(LiveTiming())
    return [
        index
        for index, (timestamp, now) in enumerate(zip(timestamps, arrivals, strict=True))
        if speed.is_first_early(timestamp, now)
    ]


def evenly(step: float, count: int = 200) -> list[float]:
    return list(accumulate(repeat(step, count - 1), initial=1000.0))


@pytest.mark.parametrize("step", [0.001, 0.02])
def test_a_source_at_least_twice_too_fast_is_noticed_once(step: float) -> None:
    (index,) = first_early_frames([*evenly(0.04)], evenly(step))
    assert 50 < index < 150


@pytest.mark.parametrize("step", [0.04, 0.05, 1.0])
def test_a_source_in_time_or_late_is_not_too_fast(step: float) -> None:
    assert first_early_frames([*evenly(0.04)], evenly(step)) == []


def test_bursts_after_pauses_are_not_too_fast() -> None:
    arrivals = [1000.0 + 2 * (index // 50) for index in range(200)]
    assert first_early_frames([*evenly(0.04)], arrivals) == []


def test_one_second_of_kept_frames_is_not_too_fast() -> None:
    assert first_early_frames([*evenly(0.04)], [1000.0] * 25 + evenly(0.04, 175)) == []


@pytest.mark.parametrize("jump", [5000.0, -500.0])
def test_a_jump_of_the_clock_is_ignored(jump: float) -> None:
    assert first_early_frames([1.0, 1.04, 1.04 + jump, 1.08 + jump], [0.0, 0.04, 0.08, 0.12]) == []


def test_frames_without_timestamps_are_ignored() -> None:
    assert first_early_frames([None] * 200, evenly(0.001)) == []
