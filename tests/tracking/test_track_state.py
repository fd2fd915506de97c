"""What one face's track expects, believes and holds."""

from __future__ import annotations

import pytest

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.track_state import TrackState

BOX = Box(100, 50, 140, 100)


def begun() -> TrackState:
    return TrackState.begun(3, Detection(BOX, 0.9), 1.0)


def test_a_face_keeps_its_course_for_half_a_second() -> None:
    track = begun()
    track.confirm(Detection(BOX.moved(8, 0), 0.8), 1.1)
    assert track.velocity == pytest.approx((40, 0))  # half of the newest measurement
    assert track.expected(1.2).left == pytest.approx(112)
    assert track.expected(1.6).left == track.expected(9.0).left == pytest.approx(128)


def test_the_longer_unseen_the_farther_a_find_may_lie_up_to_a_limit() -> None:
    track = begun()
    assert track.gate(1.0) < track.gate(1.3) < track.gate(9.0) == track.gate(10.0)


def test_a_held_box_grows_and_covers_where_the_face_was_and_may_be() -> None:
    track = begun()
    track.confirm(Detection(BOX.moved(8, 0), 0.8), 1.1)
    track.hold(1.3)
    assert track.origin is Origin.HELD
    assert track.box.covers(BOX.moved(8, 0))
    assert track.box.covers(track.expected(1.3))
    earlier = track.box
    track.hold(1.4)
    assert track.box.covers(earlier)


def test_a_followed_box_is_where_it_goes_on_from() -> None:
    track = begun()
    track.follow(BOX.moved(5, 5), 1.04)
    assert (track.origin, track.known, track.confirmed) == (Origin.FOLLOWED, track.box, BOX)


def test_in_views_of_another_size_all_is_scaled_and_the_tracker_begins_anew() -> None:
    track = begun()
    track.confirm(Detection(BOX.moved(8, 0), 0.8), 1.1)
    speed = track.speed
    track.rescale(0.5, 0.5)
    assert track.box == BOX.moved(8, 0).scaled(0.5, 0.5)
    assert track.speed == pytest.approx(speed)
    assert track.tracker is None
