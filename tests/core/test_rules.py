"""Rules: sizes, times, and contradictions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.rules import Rules, Size
from tracker_blur.core.zones import Zone
from tracker_blur.errors import SettingsError


@pytest.mark.parametrize(("given", "pixels"), [(24, 24), (2.5, 2.5), ("24", 24), ("3%", 10.8)])
def test_a_size_is_pixels_or_a_share_of_the_shorter_side(given: object, pixels: float) -> None:
    assert Size.parse(given).pixels((640, 360)) == pytest.approx(pixels)


@pytest.mark.parametrize("given", [0, -3, True, "3px", "", "101%", float("nan"), "1e3", [3]])
def test_a_size_of_another_form_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="give pixels, such as 24, or a share, such as 3%"):
        Size.parse(given)


def test_rules_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SettingsError, match="from 9s to 5s ends before it begins: swap the two"):
        Rules(start=Fraction(9), end=Fraction(5))
    with pytest.raises(SettingsError, match="the least size, 30, is above the largest, 20"):
        Rules(min_size=Size(30), max_size=Size(20))
    with pytest.raises(SettingsError, match="there are 201 zones: give at most 200"):
        Rules((Zone.parse("hide", "0,0,9,9"),) * 201)
    with pytest.raises(
        SettingsError, match=r"in\.mp4: the zone 90,0,99,9 lies outside of the frame"
    ):
        Rules((Zone.parse("hide", "90,0,99,9"),)).check((80, 60), "in.mp4")


def test_a_face_in_one_frame_is_visible_for_the_first_reason_that_applies() -> None:
    zone = Zone.parse("ignore", "5s..9s=0,0,50,50")
    rules = Rules((zone,), Size(10), Size(90), Fraction(2), Fraction(20))
    frame = 200, 100
    assert rules.reason_for(Box(0, 0, 20, 20), frame, Fraction(1)) == "time"
    assert rules.reason_for(Box(0, 0, 9, 9), frame, Fraction(3)) == "size"
    assert rules.reason_for(Box(0, 0, 95, 20), frame, Fraction(3)) == "size"
    assert rules.reason_for(Box(0, 0, 20, 20), frame, Fraction(4)) is None
    assert rules.reason_for(Box(0, 0, 20, 20), frame, Fraction(5)) == "zone"
    assert rules.reason_for(Box(60, 0, 80, 20), frame, Fraction(5)) is None
