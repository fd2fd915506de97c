from __future__ import annotations

from typing import Literal

import pytest

from tracker_blur.tracking.schedule import DetectionSchedule


def looks(pace: DetectionSchedule, frames: int, rate: float = 25.0) -> list[int]:
    return [index for index in range(frames) if pace.is_due(index / rate)]


def test_a_fixed_pace_looks_at_the_first_frames_and_then_every_nth() -> None:
    assert looks(DetectionSchedule(4, 25.0), 12) == [0, 1, 2, 6, 10]


@pytest.mark.parametrize("rate", [0.2, 1.0, 5.0, 8.0])
def test_frames_far_apart_are_all_looked_at(rate: float) -> None:
    assert looks(DetectionSchedule(5, rate), 8, rate) == list(range(8))


@pytest.mark.parametrize("every", [4, "auto"])
def test_frames_are_looked_at_where_those_between_were_dropped(
    every: int | Literal["auto"],
) -> None:
    pace = DetectionSchedule(every, 30.0)
    pace.followed(0.004)
    pace.detected(0.200, [])
    looks(pace, 20, 30.0)
    assert all(pace.is_due(1.0 + 0.4 * index) for index in range(5))


def test_auto_waits_no_longer_because_frames_are_missing() -> None:
    pace = DetectionSchedule("auto", 30.0)
    pace.followed(0.004)
    pace.detected(0.200, [])
    assert pace.every_frames == 3
    assert looks(pace, 12, 15.0) == [0, 1, 2, 4, 6, 8, 10]


def test_a_cut_makes_it_look_at_each_of_the_next_frames() -> None:
    pace = DetectionSchedule(10, 25.0)
    looks(pace, 8)
    pace.restart()
    assert looks(pace, 8) == [0, 1, 2]


def test_auto_detects_on_every_frame_where_following_costs_more() -> None:
    pace = DetectionSchedule("auto", 25.0)
    pace.followed(0.020)
    pace.detected(0.009, [0.0])
    assert pace.every_frames == 1


def test_auto_detects_seldom_where_detecting_costs_more_and_faces_are_still() -> None:
    pace = DetectionSchedule("auto", 25.0)
    pace.followed(0.004)
    pace.detected(0.200, [0.0, 0.1])
    assert pace.every_frames == 3  # 0.12 seconds at 25 frames per second


def test_auto_never_lets_a_newcomer_wait_long_at_a_low_rate() -> None:
    pace = DetectionSchedule("auto", 5.0)
    pace.followed(0.004)
    pace.detected(0.200, [])
    assert pace.every_frames == 1


def test_auto_does_not_compare_before_following_was_measured() -> None:
    pace = DetectionSchedule("auto", 25.0)
    pace.detected(0.009, [])
    assert pace.every_frames == 2


def test_auto_detects_more_often_the_faster_a_face_moves() -> None:
    intervals = []
    for speed in (1.0, 6.0, 8.0, 50.0):
        pace = DetectionSchedule("auto", 50.0)
        pace.followed(0.004)
        pace.detected(0.200, [0.1, speed])
        intervals.append(pace.every_frames)
    assert intervals == sorted(intervals, reverse=True)
    assert intervals[0] == 5
    assert intervals[-1] == 1


def test_in_a_hurry_it_looks_at_the_next_frame_too() -> None:
    pace = DetectionSchedule(4, 25.0)
    assert looks(pace, 4) == [0, 1, 2]
    pace.hurry()
    assert looks(pace, 6) == [0, 4]
