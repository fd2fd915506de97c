from __future__ import annotations

import itertools

import hypothesis.strategies as st
from hypothesis import given

from tracker_blur.core.box import Box
from tracker_blur.tracking.association import distance, match

MAX_SIZE_RATIO = 3.0
boxes = st.builds(
    Box.from_xywh, st.floats(0, 500), st.floats(0, 500), st.floats(10, 60), st.floats(10, 60)
)
crowds = st.lists(boxes, max_size=5)


def face(x: float, y: float, size: float = 20) -> Box:
    return Box.around((x, y), size, size)


@given(crowds, crowds, st.floats(0.1, 10))
def test_pairs_are_one_to_one_within_the_gate(
    tracks: list[Box], detections: list[Box], gate: float
) -> None:
    pairs = match(tracks, detections, [gate] * len(tracks), MAX_SIZE_RATIO)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    for row, column in pairs:
        assert distance(tracks[row], detections[column], MAX_SIZE_RATIO) <= gate


@given(crowds, crowds, st.floats(0.1, 10))
def test_no_other_matching_is_larger_or_nearer(
    tracks: list[Box], detections: list[Box], gate: float
) -> None:
    def apart(one: Box, other: Box) -> float:
        return distance(one, other, MAX_SIZE_RATIO)

    pairs = match(tracks, detections, [gate] * len(tracks), MAX_SIZE_RATIO)
    total = sum(apart(tracks[row], detections[column]) for row, column in pairs)
    few, many = sorted((tracks, detections), key=len)
    for order in itertools.permutations(range(len(many)), len(few)):
        lengths = [apart(one, many[index]) for one, index in zip(few, order, strict=True)]
        within = [length for length in lengths if length <= gate]
        assert len(within) <= len(pairs)
        if len(within) == len(pairs):
            assert sum(within) >= total - 1e-6


def test_the_hungarian_method_beats_the_greedy_choice() -> None:
    # The nearest pair overall (track 0, detection 0) would leave track 1 without a detection.
    tracks = [face(100, 100), face(70, 100)]
    detections = [face(95, 100), face(125, 100)]
    assert sorted(match(tracks, detections, [1.5, 1.5])) == [(0, 1), (1, 0)]


def test_unlike_sizes_and_empty_boxes_are_never_matched() -> None:
    assert match([face(50, 50, 10)], [face(50, 50, 40)], [5.0], MAX_SIZE_RATIO) == []
    assert match([face(50, 50, 10)], [face(50, 50, 40)], [5.0]) == [(0, 0)]
    assert match([Box(5, 5, 5, 5)], [face(5, 5)], [5.0]) == []
    assert match([], [face(5, 5)], []) == []
