"""When low-confidence detections that agree are a face."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.tracking.fakes import PARAMETERS
from tracker_blur.core.box import Box, Detection
from tracker_blur.tracking.new_tracks import LowConfidenceDetections

if TYPE_CHECKING:
    from collections.abc import Callable

BOX = Box(100, 50, 140, 100)
ENOUGH = PARAMETERS.online.agreeing_detections


def low(score: float = 0.45, dx: float = 0.0) -> Detection:
    return Detection(BOX.moved(dx, 0), score)


@pytest.fixture
def candidates() -> LowConfidenceDetections:
    return LowConfidenceDetections(0.5, PARAMETERS.online)


def repeat(candidates: LowConfidenceDetections, times: int) -> list[Detection]:
    """Return the faces after this many detections in a row, 2 pixels apart."""
    return [candidates.agreeing([low(dx=2.0 * i)]) for i in range(times)][-1]


def test_the_last_of_enough_detections_is_a_face_and_counting_restarts(
    candidates: LowConfidenceDetections,
) -> None:
    assert repeat(candidates, ENOUGH - 1) == []
    assert candidates.agreeing([low()]) == [low()]
    assert repeat(candidates, ENOUGH - 1) == []


@pytest.mark.parametrize(
    "between",
    [
        lambda candidates: candidates.agreeing([]),
        lambda candidates: candidates.agreeing([low(dx=90)]),
        LowConfidenceDetections.clear,
    ],
    ids=["missed", "another place", "another scene"],
)
def test_counting_restarts_after(
    candidates: LowConfidenceDetections, between: Callable[[LowConfidenceDetections], object]
) -> None:
    repeat(candidates, ENOUGH - 1)
    between(candidates)
    assert candidates.agreeing([low()]) == []


def test_a_score_that_is_too_low_does_not_count(candidates: LowConfidenceDetections) -> None:
    for _ in range(2 * ENOUGH):
        assert candidates.agreeing([low(score=0.39)]) == []


def test_counting_continues_in_views_of_another_size(candidates: LowConfidenceDetections) -> None:
    repeat(candidates, ENOUGH - 1)
    candidates.rescale(0.5, 0.5)
    smaller = Detection(BOX.moved(4, 0).scaled(0.5, 0.5), 0.45)
    assert candidates.agreeing([smaller]) == [smaller]


def test_one_of_the_agreeing_detections_may_have_to_score_more() -> None:
    limits = replace(PARAMETERS.online, agreeing_detections=2, agreeing_best_ratio=1.2)
    candidates = LowConfidenceDetections(0.5, limits)  # each 0.4, the best 0.48
    assert candidates.agreeing([low(0.45)]) == []
    assert candidates.agreeing([low(0.45)]) == []
    assert candidates.agreeing([low(0.49)]) == [low(0.49)]
    assert candidates.agreeing([low(0.49)]) == []  # one alone is not enough, either
    assert candidates.agreeing([low(0.41)]) == [low(0.41)]
