from __future__ import annotations

import itertools

import hypothesis.strategies as st
from hypothesis import given

from tracker_blur.core.box import Box
from tracker_blur.tracking.association import distance, pair

boxes = st.builds(
    Box.from_xywh, st.floats(0, 500), st.floats(0, 500), st.floats(10, 60), st.floats(10, 60)
)
crowds = st.lists(boxes, max_size=5)


def face(x: float, y: float, size: float = 20) -> Box:
    return Box.around((x, y), size, size)


@given(crowds, crowds, st.floats(0.1, 10))
def test_pairs_are_one_to_one_within_the_gate(
    tracks: list[Box], found: list[Box], gate: float
) -> None:
    pairs = pair(tracks, found, [gate] * len(tracks))
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(distance(tracks[row], found[column]) <= gate for row, column in pairs)


@given(crowds, crowds, st.floats(0.1, 10))
def test_no_other_pairing_is_larger_or_nearer(
    tracks: list[Box], found: list[Box], gate: float
) -> None:
    pairs = pair(tracks, found, [gate] * len(tracks))
    total = sum(distance(tracks[row], found[column]) for row, column in pairs)
    few, many = (tracks, found) if len(tracks) <= len(found) else (found, tracks)
    for order in itertools.permutations(range(len(many)), len(few)):
        apart = [distance(one, many[index]) for one, index in zip(few, order, strict=True)]
        within = [length for length in apart if length <= gate]
        assert len(within) <= len(pairs)
        if len(within) == len(pairs):
            assert sum(within) >= total - 1e-6


def test_the_hungarian_method_beats_the_greedy_choice() -> None:
    # The nearest pair overall (track 0, find 0) would leave track 1 without a find.
    tracks = [face(100, 100), face(70, 100)]
    found = [face(95, 100), face(125, 100)]
    assert sorted(pair(tracks, found, [1.5, 1.5])) == [(0, 1), (1, 0)]


def test_unlike_sizes_and_empty_boxes_are_never_paired() -> None:
    assert pair([face(50, 50, 10)], [face(50, 50, 40)], [5.0]) == []
    assert pair([Box(5, 5, 5, 5)], [face(5, 5)], [5.0]) == []
    assert pair([], [face(5, 5)], []) == []
