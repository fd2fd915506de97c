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
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.evidence import ClassifiedCrop, Evidence
from tracker_blur.tracking.false_ends import without_false_ends

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.first_pass import RawTracks

CROP_PX = 60.0
ODDS = PARAMETERS.classification
ARM = Box.around(BOX.center, 100, 110)
BODY = BOX.padded(1.5)
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
        evidence.add(ClassifiedCrop(0, arm_odds, CROP_PX), 2 * frame)
    for frame in range(10, 30, 5):
        evidence.add(ClassifiedCrop(0, face_odds, CROP_PX), frame)
    rows = face_rows(range(10), box=arm, score=0.45) + face_rows(range(10, 30))
    if other is not None:
        rows += face_rows(range(11), 1, box=other)
        for frame in range(0, 11, 3):
            evidence.add(ClassifiedCrop(1, FACE_ODDS, CROP_PX), frame)
    return raw_tracks(rows, evidence=evidence)


def backwards(raw: RawTracks) -> RawTracks:
    """Return the same tracks as if time ran backwards from frame 29."""
    evidence, rows = Evidence(), []
    for track in raw.tracks.tracks:
        seen, log_odds, _ = raw.evidence.in_rows(track)
        for row, one in zip(seen[::-1], log_odds[::-1], strict=True):
            evidence.add(
                ClassifiedCrop(track.track_id, float(one), CROP_PX), 29 - int(track.frames[row])
            )
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


def swollen(
    score: float = 0.3,
    body: Box = BODY,
    origin: Origin = Origin.DETECTED,
    body_odds: float = -1.0,
) -> RawTracks:
    """Return a track of 10 frames of half a body and 20 of the face that comes from there."""
    evidence = Evidence()
    evidence.add(ClassifiedCrop(0, body_odds, CROP_PX), 5)
    for frame in range(10, 30, 5):
        evidence.add(ClassifiedCrop(0, FACE_ODDS, CROP_PX), frame)
    rows = face_rows(range(10), box=body, score=score, origin=origin)
    return raw_tracks(rows + face_rows(range(10, 30)), evidence=evidence)


def sizes(track: Track) -> list[float]:
    return [track.box(row).size / BOX.size for row in range(len(track))]


def test_half_a_body_before_or_after_a_face_becomes_smaller_but_still_covers_where_it_was() -> None:
    for raw, rows in ((swollen(), range(10)), (backwards(swollen()), range(20, 30))):
        track = cut(raw)
        assert (track.first, track.last) == (0, 29)
        assert max(sizes(track)) == pytest.approx(ODDS.swollen_size_ratio)
        for row in rows:
            assert track.box(row).covers(BOX)


def test_what_was_a_body_elsewhere_stays_where_the_body_was() -> None:
    far = BODY.moved(300, 0)
    box = cut(swollen(body=far)).box(0)
    assert far.covers(box)
    assert box.left == pytest.approx(far.left)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(swollen(score=0.8), id="a face that moves away fast"),
        pytest.param(swollen(body=BOX.padded(0.4)), id="a somewhat larger head"),
        pytest.param(swollen(body_odds=0.7), id="a head, and then its ear"),
        pytest.param(followed(-1.0, -1.0, BODY, other=None), id="no face"),
    ],
)
def test_in_doubt_a_box_stays_as_large(raw: RawTracks) -> None:
    for each in (raw, backwards(raw)):
        assert sizes(cut(each)) == sizes(each.tracks.tracks[0])


def test_a_box_that_is_kept_and_grows_stays_as_large() -> None:
    raw = swollen(origin=Origin.HELD)
    assert sizes(cut(raw)) == sizes(raw.tracks.tracks[0])


@given(any_raw_tracks(), st.lists(st.floats(-9, 9), max_size=50))
def test_one_piece_of_a_track_is_left(raw: RawTracks, log_odds: list[float]) -> None:
    for track in raw.tracks.tracks:
        evidence = Evidence()
        for frame, one in zip(track.frames.tolist(), log_odds, strict=False):
            evidence.add(ClassifiedCrop(track.track_id, one, CROP_PX), frame)
        left = without_false_ends(track, raw.tracks.tracks, SIZE, evidence, CONFIDENCE, ODDS)
        rows = np.flatnonzero(np.isin(track.frames, left.frames))
        assert len(left) == len(rows) == rows[-1] - rows[0] + 1
