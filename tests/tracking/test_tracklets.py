"""Which parts of raw tracks detections support."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.tracking.fakes import PARAMETERS
from tests.tracking.raw_tracks import (
    BOX,
    CONFIDENCE,
    LIMITS,
    Row,
    any_raw_tracks,
    face_rows,
    hidden_tracks,
    raw_tracks,
    refine,
    spans,
)
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.tracklets import is_supported

if TYPE_CHECKING:
    from tracker_blur.tracking.first_pass import RawTracks

BACKGROUND = Box(30, 10, 610, 350)
COAT = Box.around((320, 180), 110, 110)
MARGINS = st.sampled_from([0.0, 0.2, 3.0])
often = settings(max_examples=60)


@often
@given(any_raw_tracks(highest_score=0.4), MARGINS)
def test_low_confidence_detections_alone_hide_nothing(raw: RawTracks, margin: float) -> None:
    assert refine(raw, CONFIDENCE, margin, PARAMETERS).tracks == ()


def test_a_single_high_confidence_detection_is_hidden() -> None:
    (track,) = hidden_tracks(raw_tracks(face_rows([7])))
    assert spans([track]) == [(7, 7)]
    assert track.box(0) == BOX


def test_low_confidence_detections_count_near_a_reliable_one_only() -> None:
    rows = face_rows(range(6, 11)) + face_rows(range(11, 60), score=0.3)
    ((first, last),) = spans(hidden_tracks(raw_tracks(rows)))
    assert first == 6
    assert 40 <= last <= 50  # 1.5 seconds


def test_low_confidence_detections_that_agree_in_a_row_are_a_face() -> None:
    assert spans(hidden_tracks(raw_tracks(face_rows(range(10, 14), score=0.45)))) == [(10, 13)]
    assert hidden_tracks(raw_tracks(face_rows(range(10, 13), score=0.45))) == ()
    assert hidden_tracks(raw_tracks(face_rows(range(10, 24), score=0.35))) == ()


def test_unsupported_ends_are_cut_off() -> None:
    rows = face_rows([20, 21, 22]) + face_rows(
        [*range(5, 20), *range(23, 40)], origin=Origin.TRACKED
    )
    times = [33 * index for index in range(60)]
    assert spans(hidden_tracks(raw_tracks(rows, times=times))) == [(18, 24)]  # but for 0.08 seconds


def test_held_boxes_are_not_hidden_for_they_are_guesses() -> None:
    rows = face_rows([20, 21]) + face_rows(range(22, 30), origin=Origin.HELD)
    assert spans(hidden_tracks(raw_tracks(rows))) == [(20, 21)]


def shares(*pattern: float) -> list[Row]:
    """Return rows of a coat that is detected in each frame with these scores, over and over."""
    return [
        row
        for frame in range(60)
        for row in face_rows([frame], box=COAT, score=pattern[frame % len(pattern)])
    ]


@given(st.lists(st.booleans(), max_size=80))
def test_detections_are_supported_by_enough_reliable_ones_around(reliable: list[bool]) -> None:
    supported = is_supported(np.array(reliable, bool), LIMITS)
    assert len(supported) == len(reliable)
    length = min(len(reliable), LIMITS.large_window_detections)
    for row in np.flatnonzero(supported).tolist():
        starts = range(max(0, row - length + 1), min(row, len(reliable) - length) + 1)
        assert any(2 * sum(reliable[start : start + length]) >= length for start in starts)
    assert supported.all() or 2 * sum(reliable) < len(reliable) or len(reliable) > length


def test_still_backgrounds_that_fill_the_frame_start_no_track() -> None:
    agreeing = face_rows(range(60), box=BACKGROUND, score=0.49)
    assert hidden_tracks(raw_tracks(agreeing)) == ()
    weak = face_rows(range(60), box=BACKGROUND, score=0.55)
    assert hidden_tracks(raw_tracks(weak)) == ()
    high = face_rows(range(60), box=BACKGROUND, score=0.8)
    assert spans(hidden_tracks(raw_tracks(high))) == [(0, 59)]


@pytest.mark.parametrize(
    ("pattern", "is_hidden"),
    [
        ((0.6, 0.3, 0.3, 0.3), False),
        ((0.6, 0.3), True),
        ((0.45,), True),  # agreeing
        ((0.9, 0.3, 0.3, 0.3), True),  # high-confidence, if seldom
    ],
)
def test_a_large_face_must_be_reliable_often(pattern: tuple[float, ...], is_hidden: bool) -> None:
    assert bool(hidden_tracks(raw_tracks(shares(*pattern)))) is is_hidden


def test_a_small_face_may_be_reliable_seldom() -> None:
    rows = [
        row for frame in range(60) for row in face_rows([frame], score=(0.6, 0.3, 0.3)[frame % 3])
    ]
    assert spans(hidden_tracks(raw_tracks(rows))) == [(0, 59)]


def test_a_large_face_may_be_cut_off_and_seldom_reliable() -> None:
    rows = [
        (frame, replace(face, box=COAT.moved(-270, 0)), colors)
        for frame, face, colors in shares(0.6, 0.3, 0.3)
    ]
    assert spans(hidden_tracks(raw_tracks(rows))) == [(0, 59)]


def test_a_large_face_that_turns_away_after_it_was_seen_well_stays_hidden() -> None:
    rows = face_rows(range(30), box=COAT) + face_rows(range(30, 45), box=COAT, score=0.3)
    assert spans(hidden_tracks(raw_tracks(rows))) == [(0, 44)]
