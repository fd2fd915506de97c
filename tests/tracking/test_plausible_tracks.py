"""Which raw tracks size, place and the other tracks of their scene leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from tests.tracking.raw_tracks import (
    BODY,
    CHIN,
    CONFIDENCE,
    HEAD,
    LIMITS,
    UNCONDITIONAL,
    any_raw_tracks,
    face_rows,
    hidden_tracks,
    raw_tracks,
)
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.plausible_tracks import plausible_tracks

if TYPE_CHECKING:
    from tracker_blur.tracking.first_pass import RawTracks

COAT = Box.around((320, 180), 110, 110)


def test_a_track_that_contains_a_higher_scoring_and_much_smaller_one_is_none() -> None:
    head, body = (
        face_rows(range(50), box=HEAD, score=0.7),
        face_rows(range(40), 1, box=BODY, score=0.55),
    )
    (track,) = hidden_tracks(raw_tracks(head + body))
    assert (track.last, track.box(5).iou(HEAD) > 0.9) == (49, True)
    apart = face_rows(range(25, 50), box=HEAD, score=0.7)  # for less than half of the time
    assert len(hidden_tracks(raw_tracks(apart + body))) == 2
    elsewhere = face_rows(range(50), box=HEAD.moved(300, 0), score=0.7)
    assert len(hidden_tracks(raw_tracks(elsewhere + body))) == 2


def test_a_track_that_is_always_a_part_of_a_higher_scoring_face_is_none() -> None:
    head = face_rows(range(50), box=HEAD, score=0.9)
    chin = face_rows(range(10, 40), 1, box=CHIN, score=0.55)
    (track,) = hidden_tracks(raw_tracks(head + chin))
    assert track.box(20).iou(HEAD) > 0.9
    ended = face_rows(range(39), box=HEAD, score=0.9)
    assert len(hidden_tracks(raw_tracks(ended + chin))) == 2  # one may be behind the other
    aside = face_rows(range(40, 50), 1, box=CHIN.moved(30, 0), score=0.55)
    assert len(hidden_tracks(raw_tracks(head + chin + aside))) == 2
    lower = face_rows(range(50), box=HEAD, score=0.6)  # the larger one may be none
    assert len(hidden_tracks(raw_tracks(lower + chin))) == 2
    high = face_rows(range(10, 40), 1, box=CHIN, score=UNCONDITIONAL)  # a face before a face
    assert len(hidden_tracks(raw_tracks(head + high))) == 2


def test_a_score_of_0_is_not_higher_than_one_of_0() -> None:
    raw = raw_tracks(
        face_rows(range(50), box=HEAD, score=0.0)
        + face_rows(range(50), 1, box=BODY, score=0.0)
        + face_rows(range(10, 40), 2, box=CHIN, score=0.0)
    )
    assert len(plausible_tracks(raw.tracks, 0.0, LIMITS)) == 3


def test_a_low_confidence_track_much_larger_than_high_confidence_ones_is_none() -> None:
    small = Box.around((500, 100), 18, 22)
    high = face_rows(range(30), box=small, score=0.9)
    weak = face_rows(range(30), 1, box=COAT, score=0.48)
    assert len(hidden_tracks(raw_tracks(weak))) == 1
    assert len(hidden_tracks(raw_tracks(high + weak))) == 1
    assert len(hidden_tracks(raw_tracks(high + weak, cuts=(30,)))) == 1
    later = face_rows(range(30, 60), 1, box=COAT, score=0.48)
    assert len(hidden_tracks(raw_tracks(high + later, cuts=(30,)))) == 2  # in another scene
    large = face_rows(range(30), box=small.padded(0.5), score=0.9)
    assert len(hidden_tracks(raw_tracks(large + weak))) == 2  # not so much larger
    at_the_border = face_rows(range(30), 1, box=COAT.moved(-270, 0), score=0.48)
    assert len(hidden_tracks(raw_tracks(high + at_the_border))) == 2


@given(any_raw_tracks())
def test_a_track_with_an_unconditional_detection_is_never_left_out(raw: RawTracks) -> None:
    kept = {track.track_id for track in plausible_tracks(raw.tracks, CONFIDENCE, LIMITS)}
    for track in raw.tracks.tracks:
        if (track.scores[track.has(Origin.DETECTED)] >= UNCONDITIONAL).any():
            assert track.track_id in kept
