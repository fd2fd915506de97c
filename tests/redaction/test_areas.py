"""Hidden areas: one aspect for each class, never less than padding alone would hide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.core.box import Box
from tracker_blur.redaction.areas import hidden_area, largest_area, turns

SIDES = st.floats(0.5, 500)
BOXES = st.builds(Box.from_xywh, st.floats(-300, 300), st.floats(-300, 300), SIDES, SIDES)
PADDING = st.floats(0, 2)
FACE_ASPECT, PLATE_ASPECT = 0.77, 3.0


@given(BOXES, PADDING, st.booleans())
def test_the_area_of_a_face_has_one_aspect(box: Box, padding: float, is_turned: bool) -> None:
    area = hidden_area(box, "face", padding, is_turned)
    aspect = area.width / area.height
    assert aspect == pytest.approx(1 / FACE_ASPECT if is_turned else FACE_ASPECT)
    assert area.center == pytest.approx(box.center, abs=1e-9)


@given(BOXES, PADDING)
def test_the_area_of_a_plate_has_one_aspect(box: Box, padding: float) -> None:
    area = hidden_area(box, "plate", padding)
    assert area.width / area.height == pytest.approx(PLATE_ASPECT)


@given(BOXES, PADDING)
def test_a_class_of_ones_own_keeps_the_aspect_of_its_box(box: Box, padding: float) -> None:
    assert hidden_area(box, "logo", padding) == box.padded(padding)
    assert not turns(box, "logo", None)


@given(BOXES, st.sampled_from(["face", "plate", "logo"]), PADDING, st.booleans())
def test_nothing_is_hidden_less_than_by_padding(
    box: Box, label: str, padding: float, is_turned: bool
) -> None:
    area = hidden_area(box, label, padding, is_turned)
    padded = box.padded(padding)
    slack = 1e-9 * area.size + 1e-9
    assert area.left <= padded.left + slack
    assert area.top <= padded.top + slack
    assert area.right >= padded.right - slack
    assert area.bottom >= padded.bottom - slack


@pytest.mark.parametrize(
    ("size", "growth"), [((77, 100), 1.0), ((85, 100), 1.104), ((70, 100), 1.1)]
)
def test_usual_boxes_grow_little(size: tuple[int, int], growth: float) -> None:
    box = Box.from_xywh(0, 0, *size)
    area = hidden_area(box, "face", 0.3)
    assert area.area / box.padded(0.3).area == pytest.approx(growth, abs=0.001)


@pytest.mark.parametrize(
    ("size", "before", "after"),
    [
        ((80, 100), None, False),
        ((101, 100), None, True),
        ((111, 100), False, False),  # a little wider than high: as before
        ((113, 100), False, True),
        ((90, 100), True, True),
        ((88, 100), True, False),
    ],
)
def test_an_area_turns_only_where_it_gains(
    size: tuple[int, int], before: bool | None, after: bool
) -> None:
    assert turns(Box.from_xywh(0, 0, *size), "face", before) is after


@given(BOXES, st.booleans())
def test_a_turned_area_is_never_much_larger(box: Box, before: bool) -> None:
    is_turned = turns(box, "face", before)
    chosen, other = (
        hidden_area(box, "face", 0.3, each).area for each in (is_turned, not is_turned)
    )
    assert chosen <= 1.2501 * other


def test_an_empty_box_keeps_its_place() -> None:
    area = hidden_area(Box(5, 7, 5, 7), "face", 0.3)
    assert area.as_tuple() == (5, 7, 5, 7)
    assert turns(Box(5, 7, 5, 7), "face", None) is False


def test_the_largest_area_contains_both_where_both_may_be() -> None:
    square, upright = Box.from_xywh(0, 0, 100, 100), Box.from_xywh(0, 0, 60, 100)
    for is_turned in (False, True):
        assert largest_area(square, "face", 0.3).covers(hidden_area(square, "face", 0.3, is_turned))
    assert largest_area(upright, "face", 0.3) == hidden_area(upright, "face", 0.3)
