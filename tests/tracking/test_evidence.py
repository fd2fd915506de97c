"""What the classifier says about a track's crops decides whether it is a face."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.raw_tracks import face_rows, raw_tracks
from tracker_blur.core.parameters import ClassificationParameters
from tracker_blur.tracking.evidence import (
    ClassifiedCrop,
    Evidence,
    best_log_odds,
    needed_log_odds,
    pooled_log_odds,
    representative_score,
)

if TYPE_CHECKING:
    from random import Random

CROP_PX = 60.0
CLEAR_PX = 100.0
LIMITS = ClassificationParameters(pooled_crops=3, pooled_share=0.1)


def test_a_track_that_was_never_classified_has_no_odds() -> None:
    assert math.isnan(pooled_log_odds([], LIMITS))


def test_the_best_crops_decide() -> None:
    assert pooled_log_odds([4.0, -9.0, 2.0, 3.0, -9.0], LIMITS) == pytest.approx(3.0)
    assert pooled_log_odds([4.0, -2.0], LIMITS) == pytest.approx(1.0)


def test_of_many_crops_a_share_decides() -> None:
    odds = [5.0] * 3 + [-5.0] * 97  # a wall that looked like a face three times
    assert pooled_log_odds(odds, LIMITS) == pytest.approx(-2.0)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=50), st.randoms())
def test_the_order_of_crops_does_not_matter(odds: list[float], random: Random) -> None:
    shuffled = odds.copy()
    random.shuffle(shuffled)
    pooled = pooled_log_odds(odds, LIMITS)
    assert pooled_log_odds(shuffled, LIMITS) == pytest.approx(pooled)
    assert min(odds) - 1e-9 <= pooled <= max(odds) + 1e-9


@given(st.floats(0, 2), st.floats(0, 100), st.floats(0, 1), st.floats(0, 1))
def test_large_faces_need_better_odds_and_certain_ones_worse(
    share: float, pixels: float, score: float, more: float
) -> None:
    needed = needed_log_odds(share, pixels, score, 0.4, LIMITS)
    rounding = 1e-9
    assert needed_log_odds(share + more, pixels, score, 0.4, LIMITS) >= needed - rounding
    assert needed_log_odds(share, pixels + 50 * more, score, 0.4, LIMITS) >= needed - rounding
    assert needed_log_odds(share, pixels, min(1.0, score + more), 0.4, LIMITS) <= needed + rounding


def test_the_needed_odds_at_the_ends() -> None:
    limits = ClassificationParameters(
        small_log_odds=-3.0,
        clear_log_odds=-3.0,
        large_log_odds=1.0,
        large_share=0.2,
        certain_log_odds=4.0,
        large_certain_log_odds=2.0,
        certain_score_share=1.0,
    )
    assert needed_log_odds(0.0, CLEAR_PX, 0.4, 0.4, limits) == pytest.approx(-3.0)
    assert needed_log_odds(0.0, CLEAR_PX, 1.0, 0.4, limits) == pytest.approx(-7.0)
    assert needed_log_odds(0.1, CLEAR_PX, 1.0, 0.4, limits) == pytest.approx(-4.0)
    assert needed_log_odds(0.1, CLEAR_PX, 0.3, 0.4, limits) == pytest.approx(-1.0)
    assert needed_log_odds(0.5, CLEAR_PX, 0.4, 0.4, limits) == pytest.approx(1.0)
    assert needed_log_odds(0.5, CLEAR_PX, 0.7, 0.4, limits) == pytest.approx(0.0)
    assert needed_log_odds(0.5, CLEAR_PX, 1.0, 0.4, limits) == pytest.approx(-1.0)


@pytest.mark.parametrize(("pixels", "needed"), [(4, -3.0), (20, -3.0), (30, -2.0), (40, -1.0)])
def test_what_shows_many_pixels_needs_better_odds_however_little_of_the_frame_it_is(
    pixels: float, needed: float
) -> None:
    limits = ClassificationParameters(
        small_log_odds=-3.0, small_px=20.0, clear_log_odds=-1.0, clear_px=40.0
    )
    assert needed_log_odds(0.0, pixels, 0.0, 0.4, limits) == pytest.approx(needed)
    assert needed_log_odds(0.0, math.inf, 0.0, 0.4, limits) == pytest.approx(-1.0)


def test_a_large_face_needs_better_odds_the_more_crops_they_are_the_best_of() -> None:
    limits = ClassificationParameters(
        large_log_odds=1.0,
        large_share=0.2,
        certain_score_share=1.0,
        pooled_crops=3,
        doubling_log_odds=0.5,
    )
    needed = [needed_log_odds(0.2, CLEAR_PX, 0.4, 0.4, limits, crops) for crops in (1, 3, 6, 12)]
    assert needed == pytest.approx([1.0, 1.0, 1.5, 2.0])
    long, for_hours = (
        needed_log_odds(0.2, CLEAR_PX, 0.4, 0.4, limits, crops) for crops in (30, 30_000)
    )
    assert for_hours == pytest.approx(long)  # else every face would be shown in the end
    small = [needed_log_odds(0.1, CLEAR_PX, 0.4, 0.4, limits, crops) for crops in (1, 12)]
    assert small[0] == small[1]


@pytest.mark.parametrize(("score", "needed"), [(0.9, -3.0), (1.0, -5.0)])
def test_at_the_highest_confidence_only_the_highest_score_is_certain(
    score: float, needed: float
) -> None:
    limits = ClassificationParameters(
        small_log_odds=-3.0,
        clear_log_odds=-3.0,
        certain_log_odds=2.0,
        certain_score_share=1.0,
    )
    assert needed_log_odds(0.0, CLEAR_PX, score, 1.0, limits) == needed


def test_what_scores_high_in_one_frame_only_is_less_certain_than_what_mostly_does() -> None:
    hand, face = np.array([0.8, 0.2, 0.2, 0.2]), np.array([0.8, 0.8, 0.7, 0.8])
    assert representative_score(hand, LIMITS) < 0.5 < representative_score(face, LIMITS)
    best = ClassificationParameters(mean_score_share=0.0)
    assert representative_score(hand, best) == pytest.approx(0.8)


def test_the_evidence_of_several_tracks_is_one() -> None:
    evidence = Evidence()
    evidence.add(ClassifiedCrop(3, 1.5, CROP_PX))
    evidence.add(ClassifiedCrop(5, -2.0, CROP_PX))
    evidence.add(ClassifiedCrop(3, 0.5, CROP_PX))
    assert sorted(evidence.of([3, 5])) == [-2.0, 0.5, 1.5]
    assert evidence.of([4]) == []


def test_a_long_false_part_does_not_outvote_the_face_that_it_was_linked_to() -> None:
    evidence = Evidence()
    for log_odds in [-6.0] * 90 + [4.0] * 3:
        evidence.add(ClassifiedCrop(1 if log_odds > 0 else 0, log_odds, CROP_PX))
    assert pooled_log_odds(evidence.of([0, 1]), LIMITS) < -2
    assert best_log_odds([0, 1], evidence, LIMITS) == pytest.approx(4.0)
    assert best_log_odds([0], evidence, LIMITS) == pytest.approx(-6.0)
    evidence.add(ClassifiedCrop(2, 9.0, CROP_PX))  # one crop is not enough
    assert best_log_odds([0, 2], evidence, LIMITS) < -3
    assert math.isnan(best_log_odds([7], evidence, LIMITS))


def test_evidence_ends_before_a_frame_and_of_tracks_that_are_over() -> None:
    evidence = Evidence()
    for frame, log_odds in ((2, 1.0), (4, 2.0), (6, 3.0)):
        evidence.add(ClassifiedCrop(0, log_odds, CROP_PX), frame)
        evidence.add(ClassifiedCrop(1, -log_odds, CROP_PX), frame)
    assert evidence.before(6).of([0]) == [1.0, 2.0]
    assert evidence.before(2).of([0, 1]) == []
    evidence.keep({1})
    assert evidence.of([0, 1]) == [-1.0, -2.0, -3.0]


def test_evidence_of_a_window_belongs_to_the_rows_of_its_tracks() -> None:
    """Frames of a window count from its start, so those of the evidence have to as well."""
    evidence = Evidence()
    for frame, log_odds in ((8, 5.0), (12, 1.0), (14, 2.0), (16, 3.0)):
        evidence.add(ClassifiedCrop(0, log_odds, 10 + frame), frame)
    (track,) = raw_tracks(face_rows([2, 3, 4])).tracks.tracks
    part = evidence.before(16, 10)
    rows, log_odds_of_rows, view_px = part.in_rows(track)
    assert rows.tolist() == [0, 2]
    assert log_odds_of_rows.tolist() == [1.0, 2.0]
    assert view_px.tolist() == [22.0, 24.0]
    assert part.of([0]) == [5.0, 1.0, 2.0]
    assert part.view_px([0]) == 22.0
    assert part.view_px([1]) == 0.0
