from __future__ import annotations

from itertools import pairwise
from typing import Literal

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.tracking.fakes import PARAMETERS
from tracker_blur.tracking.schedule import DetectionSchedule, long_interval_frames


def new_schedule(every: int | Literal["auto"], rate: float) -> DetectionSchedule:
    return DetectionSchedule(every, rate, PARAMETERS.schedule)


def detection_frames(schedule: DetectionSchedule, frames: int, rate: float = 25.0) -> list[int]:
    return [index for index in range(frames) if schedule.is_due(index / rate)]


def test_a_fixed_interval_follows_the_clock_after_the_first_frames() -> None:
    assert detection_frames(new_schedule(4, 25.0), 12) == [0, 1, 2, 4, 8]


@pytest.mark.parametrize("start", range(4))
def test_who_begins_later_soon_detects_on_the_same_frames(start: int) -> None:
    early, late = new_schedule(4, 25.0), new_schedule(4, 25.0)
    detection_frames(early, 40 + start)
    due = [
        (early.is_due(index / 25.0), late.is_due(index / 25.0))
        for index in range(40 + start, 60 + start)
    ]
    assert all(one == other for one, other in due[5:])
    assert early.state() == late.state()


def test_frames_whose_times_are_off_the_clock_wait_no_longer() -> None:
    schedule = new_schedule(2, 25.0)
    times = [0.04 * index + 0.02 * (1 + (-1) ** index * 0.01) for index in range(60)]
    due = [schedule.is_due(seconds) for seconds in times]
    assert all(one or other for one, other in pairwise(due))


@settings(max_examples=40)
@given(
    st.lists(st.integers(5, 200), min_size=30, max_size=80),
    st.sampled_from([24.0, 25.0, 30.0, 60.0, 120.0]),
    st.integers(1, 12),
    st.booleans(),
)
def test_uneven_frames_wait_no_longer_for_a_detection_than_even_ones(
    steps_ms: list[int], rate: float, every: int, leaves_out: bool
) -> None:
    schedule = DetectionSchedule(every, rate, PARAMETERS.schedule, leaves_out=leaves_out)
    most = max(PARAMETERS.schedule.max_interval_seconds, every / rate) + 0.1 / rate
    times = [sum(steps_ms[:index]) / 1000 for index in range(len(steps_ms))]
    due = [index for index, seconds in enumerate(times) if schedule.is_due(seconds)]
    for one, other in pairwise([*due, len(times) - 1]):
        waited = times[other] - times[one]
        if other > one + 1:  # only the last step may have come as a surprise
            surprise = (times[other] - times[other - 1]) - (times[other - 1] - times[other - 2])
            waited -= max(0.0, surprise)
            assert waited <= most + 1e-9


def test_a_third_of_the_frames_that_the_rate_says_are_all_detection_frames() -> None:
    schedule = DetectionSchedule(2, 60.0, PARAMETERS.schedule, leaves_out=True)
    detection_frames(schedule, 240, 60.0)  # calm: every seventh
    due = [index for index in range(40) if schedule.is_due(4.0 + 0.1 * index)]
    assert due[1:] == list(range(due[1], 40))


def test_what_depends_on_measured_costs_equals_nothing() -> None:
    assert new_schedule("auto", 25.0).state() != new_schedule("auto", 25.0).state()


@pytest.mark.parametrize("rate", [0.2, 1.0, 5.0, 8.0])
def test_frames_far_apart_are_all_detection_frames(rate: float) -> None:
    assert detection_frames(new_schedule(5, rate), 8, rate) == list(range(8))


@pytest.mark.parametrize("every", [4, "auto"])
def test_frames_are_detection_frames_where_those_between_were_dropped(
    every: int | Literal["auto"],
) -> None:
    schedule = new_schedule(every, 30.0)
    schedule.tracked(0.004)
    schedule.detected(0.200, [])
    detection_frames(schedule, 20, 30.0)
    assert all(schedule.is_due(1.0 + 0.4 * index) for index in range(5))


def test_auto_waits_no_longer_because_frames_are_missing() -> None:
    schedule = new_schedule("auto", 30.0)
    schedule.tracked(0.004)
    schedule.detected(0.200, [])
    assert schedule.every_frames == 3
    assert detection_frames(schedule, 12, 15.0) == [0, 1, 2, 4, 6, 8, 10]


def test_after_a_cut_each_of_the_next_frames_is_a_detection_frame() -> None:
    schedule = new_schedule(10, 25.0)
    detection_frames(schedule, 8)
    schedule.restart()
    assert detection_frames(schedule, 8) == [0, 1, 2]


def test_auto_detects_on_every_frame_where_tracking_costs_more() -> None:
    schedule = new_schedule("auto", 25.0)
    schedule.tracked(0.020)
    schedule.detected(0.009, [0.0])
    assert schedule.every_frames == 1


def test_auto_detects_seldom_where_detection_costs_more_and_faces_are_still() -> None:
    schedule = new_schedule("auto", 25.0)
    schedule.tracked(0.004)
    schedule.detected(0.200, [0.0, 0.1])
    assert schedule.every_frames == 3  # 0.12 seconds at 25 frames per second


def test_auto_never_lets_a_new_face_wait_long_at_a_low_rate() -> None:
    schedule = new_schedule("auto", 5.0)
    schedule.tracked(0.004)
    schedule.detected(0.200, [])
    assert schedule.every_frames == 1


def test_auto_does_not_compare_before_tracking_was_measured() -> None:
    schedule = new_schedule("auto", 25.0)
    schedule.detected(0.009, [])
    assert schedule.every_frames == 2


def test_auto_detects_more_often_the_faster_a_face_moves() -> None:
    intervals = []
    for speed in (1.0, 6.0, 8.0, 50.0):
        schedule = new_schedule("auto", 50.0)
        schedule.tracked(0.004)
        schedule.detected(0.200, [0.1, speed])
        intervals.append(schedule.every_frames)
    assert intervals == sorted(intervals, reverse=True)
    assert intervals[0] == 5
    assert intervals[-1] == 1


def test_in_a_hurry_the_next_frame_is_a_detection_frame_too() -> None:
    schedule = new_schedule(4, 25.0)
    assert detection_frames(schedule, 4) == [0, 1, 2]
    schedule.hurry()
    assert detection_frames(schedule, 6) == [0, 4]


@pytest.mark.parametrize(
    ("every", "rate", "frames"),
    [
        ("auto", 25.0, 0),
        (3, 25.0, 0),
        (4, 25.0, 4),
        (250, 25.0, 250),
        ("auto", 5.0, 1),
        (9, 1.0, 1),
    ],
)
def test_an_interval_is_long_if_new_faces_wait_longer_than_usual(
    every: int | Literal["auto"], rate: float, frames: int
) -> None:
    assert long_interval_frames(every, rate, PARAMETERS.schedule) == frames


def leaving_out(every: int | Literal["auto"], rate: float) -> DetectionSchedule:
    schedule = DetectionSchedule(every, rate, PARAMETERS.schedule, leaves_out=True)
    schedule.restart()
    return schedule


@pytest.mark.parametrize(
    ("every", "rate", "interval"), [(2, 25.0, 3), (2, 60.0, 7), (2, 24.0, 2), (5, 60.0, 7)]
)
def test_where_all_is_calm_the_longest_interval_suffices(
    every: int, rate: float, interval: int
) -> None:
    due = detection_frames(leaving_out(every, rate), 200, rate)
    assert {later - one for one, later in pairwise(due[-10:])} == {interval}
    restless = [frame for frame in due if 3 < frame <= 0.4 * rate]
    assert all(later - one <= every for one, later in pairwise(restless))


def test_on_every_frame_means_on_every_frame() -> None:
    assert detection_frames(leaving_out(1, 25.0), 50) == list(range(50))


def test_what_is_missed_ends_the_calm_for_a_while() -> None:
    schedule = leaving_out(2, 25.0)
    detection_frames(schedule, 40)
    due = [index for index in range(40, 75) if schedule.is_due(index / 25)]
    assert {later - one for one, later in pairwise(due)} == {3}
    schedule.hurry()
    due = [index for index in range(75, 100) if schedule.is_due(index / 25)]
    assert due[0] == 75
    assert max(later - one for one, later in pairwise(due[:5])) == 2
    assert due[-1] - due[-2] == 3


@pytest.mark.parametrize(("speed", "interval"), [(4.0, 3), (4.4, 2)])
def test_fast_faces_are_detected_more_often(speed: float, interval: int) -> None:
    schedule = leaving_out(2, 25.0)
    due = []
    for index in range(60):
        if schedule.is_due(index / 25):
            schedule.detected(0.01, [0.1, speed])
            due.append(index)
    assert due[-1] - due[-2] == interval
