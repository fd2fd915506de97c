from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tracker_blur.core.box import Box

coordinates = st.floats(-1e4, 1e4, allow_nan=False)
sizes = st.floats(0.01, 1e4, allow_nan=False)
boxes = st.builds(Box.from_xywh, coordinates, coordinates, sizes, sizes)


@given(boxes)
def test_rounding_outward_covers_the_box_with_whole_pixels(box: Box) -> None:
    left, top, right, bottom = box.outward()
    assert Box(left, top, right, bottom).covers(box)
    assert left >= box.left - 1
    assert bottom <= box.bottom + 1


@given(boxes, boxes)
def test_union_covers_both_and_iou_is_symmetric(one: Box, other: Box) -> None:
    union = one.union(other)
    assert union.covers(one)
    assert union.covers(other)
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0 <= one.iou(other) <= 1 + 1e-9


@given(boxes, st.floats(0, 2))
def test_padding_grows_around_the_same_center(box: Box, ratio: float) -> None:
    padded = box.padded(ratio)
    assert padded.width == pytest.approx(box.width * (1 + 2 * ratio), rel=1e-6, abs=1e-6)
    assert padded.center == pytest.approx(box.center, abs=1e-6)


@given(boxes, st.integers(1, 5000), st.integers(1, 5000))
def test_clipping_stays_inside_the_frame_and_the_box(box: Box, width: int, height: int) -> None:
    clipped = box.clipped(width, height)
    assert Box(0, 0, width, height).covers(clipped)
    assert clipped.area <= box.area * (1 + 1e-9)
    assert clipped.is_empty or box.covers(clipped)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_box_with_a_coordinate_that_is_not_finite_is_empty(bad: float) -> None:
    assert Box(0, 0, bad, 4).is_empty
