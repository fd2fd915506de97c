from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tracker_blur.core.box import Box
from tracker_blur.tracking.association import FAR, assign, assign_sparse, distance, match

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


@given(crowds, crowds, st.lists(st.floats(0, 6), min_size=5, max_size=5), st.floats(1, 4))
def test_matching_is_that_of_all_distances(
    tracks: list[Box], detections: list[Box], gates: list[float], max_size_ratio: float
) -> None:
    gates = gates[: len(tracks)]
    costs = np.full((len(tracks), len(detections)), FAR)
    for row, (track, gate) in enumerate(zip(tracks, gates, strict=True)):
        for column, box in enumerate(detections):
            apart = distance(track, box, max_size_ratio)
            if apart <= gate:
                costs[row, column] = apart
    pairs, plain = match(tracks, detections, gates, max_size_ratio), assign(costs)
    assert pairs == sorted(pairs)
    assert len(pairs) == len(plain)
    assert sum(costs[pair] for pair in pairs) == pytest.approx(sum(costs[pair] for pair in plain))


@given(st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 5)), st.floats(0, 9)))
def test_components_are_assigned_as_the_whole_is(costs: dict[tuple[int, int], float]) -> None:
    dense = np.full((6, 6), FAR)
    for pair, cost in costs.items():
        dense[pair] = cost
    pairs = assign_sparse([(row, column, cost) for (row, column), cost in costs.items()])
    plain = assign(dense)
    assert len(pairs) == len(plain)
    assert sum(dense[pair] for pair in pairs) == pytest.approx(sum(dense[pair] for pair in plain))


def test_the_hungarian_method_beats_the_greedy_choice() -> None:
    # The nearest pair overall (track 0, detection 0) would leave track 1 without a detection.
    tracks = [face(100, 100), face(70, 100)]
    detections = [face(95, 100), face(125, 100)]
    assert sorted(match(tracks, detections, [1.5, 1.5])) == [(0, 1), (1, 0)]


def test_unlike_sizes_and_empty_boxes_are_never_matched() -> None:
    assert match([face(50, 50, 10)], [face(50, 50, 40)], [5.0], MAX_SIZE_RATIO) == []
    assert match([face(50, 50, 10)], [face(50, 50, 40)], [5.0]) == [(0, 0)]
    assert match([Box(5, 5, 5, 5)], [face(5, 5)], [5.0]) == []
    assert match([Box(0, 0, float("inf"), 9)], [face(5, 5)], [5.0]) == []
    assert match([face(5, 5)], [Box(0, 0, float("nan"), 9)], [5.0]) == []
    assert match([], [face(5, 5)], []) == []
