"""Tracks whose places show a picture are another video's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.verification.hidden_places import HiddenPlaces
from tracker_blur.verification.parameters import VerificationParameters

if TYPE_CHECKING:
    from tracker_blur.verification.frame_comparison import Gray

PICTURE = np.random.default_rng(1).integers(0, 256, (100, 100)).astype(np.uint8)
FLAT = np.full((100, 100), 90, np.uint8)
BOX = Box(20, 20, 70, 80)


def checked(*frames: tuple[Gray, Box]) -> list[str]:
    places = HiddenPlaces(VerificationParameters())
    for gray, box in frames:
        places.add(gray, [box])
    return [check.detail for check in places.checks() if not check.passed]


@pytest.mark.parametrize(
    ("pictures", "flat", "fails"),
    [(5, 0, True), (4, 0, False), (30, 70, True), (29, 71, False), (0, 100, False)],
)
def test_a_third_of_the_places_must_be_unhidden(pictures: int, flat: int, fails: bool) -> None:
    details = checked(*pictures * [(PICTURE, BOX)], *flat * [(FLAT, BOX)])
    assert len(details) == fails
    assert all(f"{pictures} of {pictures + flat} places" in detail for detail in details)


def test_the_edges_of_a_mosaic_are_no_picture() -> None:
    mosaic = np.kron(np.arange(0, 250, 10).reshape(5, 5), np.ones((20, 20))).astype(np.uint8)
    assert checked(*20 * [(mosaic, BOX)]) == []


def test_places_that_are_too_small_or_outside_say_nothing() -> None:
    small, outside = Box(20, 20, 26, 26), Box(200, 200, 260, 260)
    assert checked(*20 * [(PICTURE, small)], *20 * [(PICTURE, outside)]) == []
