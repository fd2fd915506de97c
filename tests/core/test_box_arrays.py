"""Boxes in arrays: the same results as those of `Box`, one by one."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.box_arrays import (
    are_among,
    are_occluded,
    areas,
    edges,
    intersection_areas,
    ious,
    overlapping,
    suppress_overlaps,
    touching,
)

numbers = st.floats(-100, 100) | st.integers(-5, 5).map(float)  # whole ones touch often
sides = st.floats(0, 60) | st.integers(0, 6).map(float)
boxes = st.builds(Box.from_xywh, numbers, numbers, sides, sides)
crowds = st.lists(boxes, max_size=12)
shares = st.sampled_from([0.0, 0.1, 0.4, 0.7])
detections = st.builds(
    Detection, boxes, st.sampled_from([0.2, 0.5, 0.5, 0.9]), st.sampled_from(["face", "plate"])
)


@given(st.lists(st.tuples(boxes, boxes), max_size=8))
def test_areas_and_overlaps_are_those_of_the_boxes_to_the_last_bit(
    pairs: list[tuple[Box, Box]],
) -> None:
    ones, others = edges(one for one, _ in pairs), edges(other for _, other in pairs)
    assert areas(ones).tolist() == [one.area for one, _ in pairs]
    shared = [one.intersection_area(other) for one, other in pairs]
    assert intersection_areas(ones, others).tolist() == shared
    assert ious(ones, others).tolist() == [one.iou(other) for one, other in pairs]


@given(crowds, crowds)
def test_all_pairs_that_touch_are_found_and_no_others(one: list[Box], other: list[Box]) -> None:
    first, second = touching(edges(one), edges(other))
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        (i, j)
        for i, a in enumerate(one)
        for j, b in enumerate(other)
        if a.left <= b.right and b.left <= a.right and a.top <= b.bottom and b.top <= a.bottom
    ]


@given(crowds, crowds, shares)
def test_overlapping_pairs_are_those_of_the_plain_comparison(
    one: list[Box], other: list[Box], iou: float
) -> None:
    first, second = overlapping(edges(one), edges(other), iou)
    plain = [(i, j) for i, a in enumerate(one) for j, b in enumerate(other) if a.iou(b) > iou]
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == plain
    assert are_among(one, other, iou) == [any(a.iou(b) > iou for b in other) for a in one]


@given(crowds, crowds, shares)
def test_occluded_is_what_another_box_shares_enough_of(
    behind: list[Box], front: list[Box], share: float
) -> None:
    assert are_occluded(behind, front, share) == [
        any(one.intersection_area(box) > share * box.area for one in front) for box in behind
    ]


@given(st.lists(detections, max_size=12), shares)
def test_suppression_is_greedy(found: list[Detection], iou: float) -> None:
    kept: list[Detection] = []
    for candidate in sorted(found, key=lambda one: -one.score):
        rivals = [one for one in kept if one.label == candidate.label]
        if all(candidate.box.iou(rival.box) <= iou for rival in rivals):
            kept.append(candidate)
    assert suppress_overlaps(found, iou) == kept


def test_of_overlapping_detections_the_best_stays() -> None:
    best = Detection(Box(0, 0, 10, 10), 0.9)
    double = Detection(Box(1, 1, 11, 11), 0.6)
    far = Detection(Box(50, 50, 60, 60), 0.7)
    assert suppress_overlaps([double, far, best], 0.4) == [best, far]


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_boxes_side_by_side_are_compared_with_their_neighbors_only(count: int) -> None:
    row = edges(Box.from_xywh(10.0 * number, 0, 12, 12) for number in range(count))
    first, _ = touching(row, row)
    assert len(first) == 3 * count - 2
    assert len(np.unique(first)) == count
