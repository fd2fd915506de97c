"""Which raw tracks are hidden: the classifier has the last word."""

from __future__ import annotations

import pytest

from tests.tracking.fakes import PARAMETERS
from tests.tracking.raw_tracks import (
    CONFIDENCE,
    face_rows,
    hidden_tracks,
    raw_tracks,
    spans,
)
from tracker_blur.core.box import Box
from tracker_blur.tracking.evidence import ClassifiedCrop, Evidence, needed_log_odds

CROP_PX = 60.0


def test_no_raw_tracks_hide_nothing() -> None:
    assert hidden_tracks(raw_tracks([])) == ()
    assert hidden_tracks(raw_tracks([], frame_count=0)) == ()


@pytest.mark.parametrize(("log_odds", "count"), [(-9.0, 0), (2.0, 1), (None, 1)])
def test_a_track_that_the_classifier_takes_for_no_face_is_not_hidden(
    log_odds: float | None, count: int
) -> None:
    evidence = Evidence()
    if log_odds is not None:
        evidence.add(ClassifiedCrop(0, log_odds, CROP_PX))
    raw = raw_tracks(face_rows(range(10, 40), score=0.6), evidence=evidence)
    assert len(hidden_tracks(raw)) == count


def test_the_odds_of_all_parts_of_a_face_count() -> None:
    """A face that turned away after it was seen well is still one."""
    evidence = Evidence()
    for log_odds in (5.0, 4.0, 6.0):
        evidence.add(ClassifiedCrop(0, log_odds, CROP_PX))
        evidence.add(ClassifiedCrop(1, -log_odds, CROP_PX))
    rows = face_rows(range(10, 20), 0, score=0.6) + face_rows(range(25, 40), 1, score=0.6)
    assert spans(hidden_tracks(raw_tracks(rows, evidence=evidence))) == [(10, 39)]


@pytest.mark.parametrize(("log_odds", "count"), [(4.0, 1), (-1.0, 0)])
def test_a_face_that_always_scores_low_is_hidden_if_the_classifier_takes_it_for_one(
    log_odds: float, count: int
) -> None:
    evidence = Evidence()
    evidence.add(ClassifiedCrop(0, log_odds, CROP_PX))
    raw = raw_tracks(face_rows(range(10, 30), score=0.3), evidence=evidence)
    assert len(hidden_tracks(raw)) == count


def test_what_the_border_cuts_off_needs_worse_odds() -> None:
    """Half a face is not seen well."""
    limits = PARAMETERS.classification
    needed = needed_log_odds(0.5, 100.0, 0.6, CONFIDENCE, limits)
    evidence = Evidence()
    evidence.add(ClassifiedCrop(0, needed - 0.5 * limits.cut_off_log_odds, CROP_PX))
    inside, at_border = Box(200, 50, 400, 250), Box(-20, 50, 180, 250)
    for box, count in ((inside, 0), (at_border, 1)):
        rows = face_rows(range(10, 40), box=box, score=0.6)
        assert len(hidden_tracks(raw_tracks(rows, evidence=evidence))) == count


@pytest.mark.parametrize(("others", "count"), [(2, 2), (3, 4)])
def test_among_several_faces_of_its_size_a_head_needs_worse_odds(others: int, count: int) -> None:
    """It is turned away or covered; a hand is seldom among so many faces."""
    limits = PARAMETERS.classification
    needed = needed_log_odds(60 / 360, 100.0, 0.6, CONFIDENCE, limits)
    evidence = Evidence()
    evidence.add(ClassifiedCrop(0, needed - 0.5 * limits.group_log_odds, CROP_PX))
    rows = face_rows(range(10, 40), 0, box=Box.from_xywh(20, 100, 60, 60), score=0.6)
    for number in range(1, others + 1):
        evidence.add(ClassifiedCrop(number, 6.0, CROP_PX))
        rows += face_rows(
            range(10, 40), number, box=Box.from_xywh(20 + 120 * number, 100, 50, 50), score=0.9
        )
    assert len(hidden_tracks(raw_tracks(rows, evidence=evidence))) == count


@pytest.mark.parametrize(("log_odds", "count"), [(-1.0, 1), (3.0, 2)])
def test_a_head_around_a_higher_scoring_ear_is_hidden_if_the_classifier_takes_it_for_one(
    log_odds: float, count: int
) -> None:
    ear = Box.from_xywh(220, 120, 15, 15)
    evidence = Evidence()
    evidence.add(ClassifiedCrop(0, log_odds, CROP_PX))
    evidence.add(ClassifiedCrop(1, 3.0, CROP_PX))
    rows = face_rows(range(10, 40), 0, box=Box.from_xywh(200, 100, 60, 70), score=0.6)
    rows += face_rows(range(10, 40), 1, box=ear, score=0.74)
    assert len(hidden_tracks(raw_tracks(rows, evidence=evidence))) == count


@pytest.mark.parametrize(("side", "view_px", "count"), [(30, 8, 1), (30, 30, 0), (10, 30, 1)])
def test_what_the_classifier_saw_in_many_pixels_needs_better_odds(
    side: float, view_px: float, count: int
) -> None:
    """An enlarged view shows no more pixels than the frame has."""
    evidence = Evidence()
    evidence.add(ClassifiedCrop(0, -0.8, view_px))
    rows = face_rows(range(10, 40), box=Box.from_xywh(20, 100, side, side), score=0.6)
    assert len(hidden_tracks(raw_tracks(rows, evidence=evidence))) == count
