"""What tracks say of a place: a face that stays visible on purpose, or one that is to be hidden."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Track, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.verification.track_index import TrackIndex

KEPT, HIDDEN = Box(100, 100, 160, 180), Box(300, 100, 360, 180)


def track(track_id: int, box: Box, frames: range, *, hide: bool) -> Track:
    builder = TracksBuilder()
    for frame in frames:
        builder.add(frame, Face(track_id, box, 0.9, Origin.DETECTED))
    return replace(builder.tracks()[0], hide=hide)


def index_of(*tracks: Track) -> TrackIndex:
    times = np.arange(20, dtype=np.int64)
    return TrackIndex(
        Tracks((640, 360), Fraction(1, 25), times, (), tracks), 0.1, VerificationParameters()
    )


@pytest.fixture(scope="module")
def index() -> TrackIndex:
    return index_of(
        track(1, KEPT, range(10), hide=False),
        track(2, KEPT, range(10, 20), hide=True),  # the same person, with less certainty
        track(3, HIDDEN, range(20), hide=True),
    )


def test_a_kept_face_is_visible_on_purpose_only_while_its_track_says_so(index: TrackIndex) -> None:
    assert [index.left_visible(frame, KEPT.padded(0.1)) for frame in (0, 9, 10, 19)] == [
        *(("track", 1), ("track", 1)),
        *(None, None),
    ]
    assert index.left_visible(0, HIDDEN) is None
    assert index.left_visible(0, Box(500, 100, 560, 180)) is None


def test_a_face_next_to_a_kept_one_is_another() -> None:
    index = index_of(track(1, KEPT, range(20), hide=False))
    neighbor = KEPT.moved(35, 0)  # cheek to cheek, and no track has seen it
    assert neighbor.iou(KEPT) > VerificationParameters().track_iou
    assert index.left_visible(5, neighbor) is None


@pytest.mark.parametrize(
    "other",
    [Box(131, 100, 167, 180), Box(119, 100, 203, 180)],
    ids=["smaller: only the kept face holds its center", "larger: only it holds the kept one's"],
)
def test_a_face_of_another_size_next_to_a_kept_one_is_another(other: Box) -> None:
    index = index_of(track(1, KEPT, range(20), hide=False))
    assert other.iou(KEPT) > VerificationParameters().track_iou
    assert index.left_visible(5, other) is None


def test_a_hidden_face_in_front_of_a_kept_one_is_to_be_hidden() -> None:
    in_front = KEPT.moved(20, 10)
    index = index_of(
        track(1, KEPT, range(20), hide=False), track(2, in_front, range(20), hide=True)
    )
    assert index.left_visible(5, KEPT.moved(3, 0)) == ("track", 1)
    assert index.left_visible(5, in_front.moved(2, 2)) is None
    assert index.is_hidden_near(5, in_front.moved(2, 2))
