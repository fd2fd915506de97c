"""Beginnings and ends of raw tracks that show no face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tests.tracking.fakes import PARAMETERS
from tests.tracking.raw_tracks import (
    BOX,
    CONFIDENCE,
    SIZE,
    any_raw_tracks,
    face_rows,
    hidden_tracks,
    raw_tracks,
)
from tracker_blur.core.box import Box
from tracker_blur.tracking.evidence import Evidence
from tracker_blur.tracking.false_ends import without_false_ends

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.first_pass import RawTracks

ODDS = PARAMETERS.classification
ARM = Box.around(BOX.center, 100, 110)
FACE_ODDS = ODDS.settled_log_odds + 1


def followed(
    arm_odds: float,
    face_odds: float,
    arm: Box = ARM,
    crops: int = 4,
    other: Box | None = BOX,
) -> RawTracks:
    """Return a track of 10 frames of an arm and 20 of the head next to it.

    Another track shows the head before.
    """
    evidence = Evidence()
    for frame in range(crops):
        evidence.add(0, arm_odds, 2 * frame)
    for frame in range(10, 30, 5):
        evidence.add(0, face_odds, frame)
    rows = face_rows(range(10), box=arm, score=0.45) + face_rows(range(10, 30))
    if other is not None:
        rows += face_rows(range(11), 1, box=other)
        for frame in range(0, 11, 3):
            evidence.add(1, FACE_ODDS, frame)
    return raw_tracks(rows, evidence=evidence)


def backwards(raw: RawTracks) -> RawTracks:
    """Return the same tracks as if time ran backwards from frame 29."""
    evidence, rows = Evidence(), []
    for track in raw.tracks.tracks:
        seen, log_odds = raw.evidence.in_rows(track)
        for row, one in zip(seen[::-1], log_odds[::-1], strict=True):
            evidence.add(track.track_id, float(one), 29 - int(track.frames[row]))
        for row in range(len(track))[::-1]:
            frame, score = 29 - int(track.frames[row]), float(track.scores[row])
            rows += face_rows([frame], track.track_id, box=track.box(row), score=score)
    return raw_tracks(rows, evidence=evidence)


def cut(raw: RawTracks) -> Track:
    track, *others = raw.tracks.tracks
    return without_false_ends(track, others, SIZE, raw.evidence, CONFIDENCE, ODDS)


def test_what_a_tracker_followed_before_it_found_a_face_is_not_hidden() -> None:
    raw = followed(-1.0, FACE_ODDS)
    assert (cut(raw).first, cut(raw).last) == (10, 29)
    for hidden in hidden_tracks(raw):
        assert hidden.box(0).size < ARM.size / 1.5


def test_nor_what_it_followed_afterwards() -> None:
    assert (cut(backwards(followed(-1.0, FACE_ODDS))).last) == 19


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(followed(-9.0, FACE_ODDS, BOX), id="a head that turns"),
        pytest.param(followed(-9.0, FACE_ODDS, Box.around(BOX.center, 60, 74)), id="hair"),
        pytest.param(followed(3.0, FACE_ODDS), id="another face"),
        pytest.param(followed(-1.0, ODDS.settled_log_odds - 1), id="no certain face"),
        pytest.param(followed(-1.0, FACE_ODDS, crops=2), id="seen too seldom"),
        pytest.param(followed(-1.0, -1.0), id="no face at all"),
        pytest.param(followed(-1.0, FACE_ODDS, other=None), id="too large a box around the face"),
        pytest.param(followed(-1.0, FACE_ODDS, other=BOX.moved(200, 0)), id="someone else"),
    ],
)
def test_in_doubt_a_track_stays_whole(raw: RawTracks) -> None:
    for each in (raw, backwards(raw)):
        assert (cut(each).first, cut(each).last) == (0, 29)


@given(any_raw_tracks(), st.lists(st.floats(-9, 9), max_size=50))
def test_one_piece_of_a_track_is_left(raw: RawTracks, log_odds: list[float]) -> None:
    for track in raw.tracks.tracks:
        evidence = Evidence()
        for frame, one in zip(track.frames.tolist(), log_odds, strict=False):
            evidence.add(track.track_id, one, frame)
        left = without_false_ends(track, raw.tracks.tracks, SIZE, evidence, CONFIDENCE, ODDS)
        rows = np.flatnonzero(np.isin(track.frames, left.frames))
        assert len(left) == len(rows) == rows[-1] - rows[0] + 1
