"""Stretches: where a track may have changed to someone else, it is cut."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tests.people.drawn_people import face_of, faces_in, track, video
from tracker_blur.people.parameters import PeopleParameters
from tracker_blur.people.stretches import crossings, stretches

PARAMETERS = PeopleParameters()


def spans(frames: list[int], cuts: list[int], votes: list[int]) -> list[tuple[int, int]]:
    """Return the first and the last frame of each stretch of a track."""
    one = track(1, frames)
    found = stretches(one, video(one, cuts=cuts), faces_in(votes, face_of(1)), 0.35, PARAMETERS)
    rows = [np.concatenate([window.rows for window in windows]) for windows in found]
    return [(int(one.frames[part[0]]), int(one.frames[part[-1]])) for part in rows]


def test_cuts_and_long_gaps_cut_a_track_and_short_gaps_do_not() -> None:
    assert spans([*range(50)], [], []) == [(0, 49)]
    assert spans([*range(50)], [20, 30], []) == [(0, 19), (20, 29), (30, 49)]
    assert spans([*range(20), *range(31, 50)], [], []) == [(0, 49)]
    assert spans([*range(20), *range(32, 50)], [], []) == [(0, 19), (32, 49)]


def test_between_two_faces_that_differ_no_one_knows_who_it_is() -> None:
    one = track(1, range(50))
    faces = faces_in([10, 20, 30, 40], face_of(1), face_of(1), face_of(2), face_of(2))
    found = stretches(one, video(one), faces, 0.35, PARAMETERS)
    votes = [sum(len(window.votes) for window in windows) for windows in found]
    lengths = [sum(len(window.rows) for window in windows) for windows in found]
    assert (votes, lengths) == ([2, 0, 2], [21, 9, 20])


def test_a_plate_does_not_cross_a_face() -> None:
    one = track(1, range(50))
    tracks = video(one, track(2, range(20, 30), label="plate"))
    assert len(stretches(one, tracks, faces_in([], face_of(1)), 0.35, PARAMETERS)) == 1


def test_windows_are_about_a_second_long() -> None:
    one = track(1, range(90))
    (windows,) = stretches(one, video(one), faces_in([0, 50, 89], face_of(1)), 0.35, PARAMETERS)
    assert [len(window.rows) for window in windows] == [23, 22, 22, 23]
    assert [window.votes.tolist() for window in windows] == [[0], [], [1], [2]]


def test_boxes_that_touch_by_a_tenth_cross() -> None:
    one = track(1, range(10), x=50)  # 60 wide
    assert not crossings(one, [one], 0.1).any()
    assert not crossings(one, [track(2, range(10), x=105)], 0.1).any()
    assert crossings(one, [track(2, range(3, 6), x=100)], 0.1).nonzero()[0].tolist() == [3, 4, 5]


@settings(max_examples=30)
@given(
    st.sets(st.integers(0, 120), min_size=1),
    st.sets(st.integers(1, 120), max_size=4),
    st.lists(st.tuples(st.integers(0, 120), st.integers(1, 3)), max_size=12),
    st.integers(-100, 200),
)
def test_the_windows_have_each_row_and_each_vote_once(
    frames: set[int], cuts: set[int], votes: list[tuple[int, int]], x: int
) -> None:
    one = track(1, sorted(frames))
    people = {frame: person for frame, person in votes if frame in frames}
    faces = faces_in(sorted(people), *[face_of(people[frame]) for frame in sorted(people)])
    tracks = video(one, track(2, range(40, 60), x=x), cuts=sorted(cuts))
    found = stretches(one, tracks, faces, 0.35, PARAMETERS)
    rows = [row for windows in found for window in windows for row in window.rows.tolist()]
    counted = [vote for windows in found for window in windows for vote in window.votes.tolist()]
    assert rows == list(range(len(one)))
    assert counted == list(range(len(people)))
