"""Zones: what is written, where they are at a time, and which boxes lie in them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.zones import Zone

SIZE = (200, 100)


def at(zone: Zone, seconds: float) -> Box:
    return zone.place(seconds, SIZE)[0]


@pytest.mark.parametrize(
    ("text", "start", "end", "seconds", "box"),
    [
        ("10,20,60,80", None, None, 7.0, Box(10, 20, 60, 80)),
        ("10%,20%,50%,40%", None, None, 0.0, Box(20, 20, 100, 40)),
        ("5s..9s=10,20,60,80", 5, 9, 7.0, Box(10, 20, 60, 80)),
        ("..0:09=10,20,60,80", None, 9, 0.0, Box(10, 20, 60, 80)),
        ("1:02.5..=10,20,60,80", Fraction(125, 2), None, 99.0, Box(10, 20, 60, 80)),
        ("5s=10,20,60,80..9s=30,40,80,100", 5, 9, 6.0, Box(15, 25, 65, 85)),
        ("5s..9s=10,20,60,80..11s=30,40,80,100", 5, 11, 8.0, Box(10, 20, 60, 80)),
        ("5s..9s=10,20,60,80..11s=30,40,80,100", 5, 11, 10.0, Box(20, 30, 70, 90)),
    ],
)
def test_a_zone_is_where_its_text_says(
    text: str, start: float | None, end: float | None, seconds: float, box: Box
) -> None:
    zone = Zone.parse("hide", text)
    assert (zone.start, zone.end) == (start, end)
    assert zone.place(seconds, SIZE) == (box, None)


def test_a_polygon_keeps_its_corners_also_where_it_moves() -> None:
    zone = Zone.parse("hide", "0s=0,0,20,0,0,20..2s=40,0,60,0,40,20")
    box, corners = zone.place(1.0, SIZE)
    assert box == Box(20, 0, 40, 20)
    assert corners == ((20, 0), (40, 0), (20, 20))
    assert zone.is_timed
    assert not Zone.parse("hide", "..=0,0,20,0,0,20").is_timed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has '', which is no number"),
        ("1,2,3", "has 3 numbers"),
        ("1,2", "has 2 numbers"),
        ("1,2,3,nan", "has 'nan', which is no number"),
        ("1,2,3,1e9", "has '1e9', which is no number"),
        ("60,20,10,80", "has no area: give left,top,right,bottom, left < right"),
        ("10,20,10,80", "has no area"),
        ("0,0,1,1,2,2", "has no area: give corners that do not lie on one line"),
        ("0,0,10,10,10,0,0,10", "has sides that cross"),
        ("1,2%,3,4", "has pixels and percent: give all numbers"),
        ("1s=1,2,3,4..2s=1%,2%,3%,4%", "has pixels and percent: give all positions"),
        ("1s=1,2,3,4..2s=0,0,9,0,0,9", "different numbers of corners"),
        ("9s..5s=1,2,3,4", "has 5s after 9s: swap the two"),
        ("5s=1,2,3,4..5s=1,2,3,5..6s=1,2,3,4", "has two positions at 5s"),
        (
            # The square turns by half a circle.
            "0s=9,9,30,9,30,30,9,30..10s=30,30,9,30,9,9,30,9",
            "collapses between 0s and 10s: give the corners of both positions in the same order",
        ),
        # The other way around.
        ("0s=9,9,30,9,30,30,9,30..2s=9,9,9,30,30,30,30,9", "collapses between 0s and 2s"),
        ("1s=0,0,20,0,0,20..2s=0,0,20,0,0,20..4s=0,0,0,20,20,0", "collapses between 2s and 4s"),
        ("5=1,2,3,4", "has '5', which has no unit, as in 5s: give seconds (12.5s)"),
        ("5s=1,2,3,4", "has one time only: give a span such as 5s..=1,2,3,4"),
        ("5s..9s", "has '5s..9s', which is no number"),
        ("5s..9s=1,2,3,4..12s", "has a time without an area"),
        ("5s=1,2,3,4..=3,4,5,6", "moves to a place without a time"),
        ("=1,2,3,4", "has no time before '=1,2,3,4'"),
        (",".join(["1"] * 202), "has 101 corners: give at most 100"),
        ("1" * 20_001, "is longer than 20000 characters"),
    ],
)
def test_nonsense_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"has|is|moves|collapses") as caught:
        Zone.parse("ignore", text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_zone_that_hides_begins_with_the_frame_on_the_screen() -> None:
    ticks = np.arange(5, dtype=np.int64) * 40
    ends = ticks + 40
    times = ticks, ends, Fraction(1, 1000)
    hide, ignore = (Zone.parse(rule, "0.05s..0.13s=0,0,9,9") for rule in ("hide", "ignore"))
    assert hide.active(*times).tolist() == [False, True, True, True, False]
    assert ignore.active(*times).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("area", "box", "is_in"),
    [
        ("0,0,100,100", (0, 0, 100, 50), True),
        ("0,0,100,100", (70, 10, 110, 20), True),  # just three quarters
        ("0,0,100,100", (71, 10, 111, 20), False),
        ("0,0,100,0,0,100", (0, 0, 50, 50), True),
        ("0,0,100,0,0,100", (50, 50, 100, 100), False),  # within the bounds, beyond the side
        ("0,0,100,0,100,100,0,100,0,60,80,60,80,40,0,40", (0, 42, 60, 58), False),  # in a bay
    ],
)
def test_a_box_lies_in_a_zone_with_three_quarters_of_its_area(
    area: str, box: tuple[float, ...], is_in: bool
) -> None:
    zone = Zone.parse("ignore", area)
    found = zone.holds(np.array([box], np.float32), np.zeros(1), (200, 200))
    assert found.tolist() == [is_in]


def test_pixels_scale_with_the_frame_and_percent_do_not() -> None:
    pixels, percent = (Zone.parse("hide", text) for text in ("10,20,60,80", "5%,20%,30%,80%"))
    assert at(pixels.scaled(2, 3), 0) == Box(20, 60, 120, 240)
    assert percent.scaled(2, 3) is percent


def test_a_zone_outside_of_the_frame_does_not_meet_it() -> None:
    assert Zone.parse("hide", "-50,-50,10,10").meets(SIZE)
    assert not Zone.parse("hide", "200,0,260,50").meets(SIZE)
    assert Zone.parse("hide", "0s=300,0,360,50..5s=100,0,160,50").meets(SIZE)
