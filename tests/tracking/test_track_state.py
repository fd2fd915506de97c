"""What the state of one track expects and holds."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tests.tracking.fakes import PARAMETERS, StillTracker
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.extra_detection import Way
from tracker_blur.tracking.track_state import TrackState

BOX = Box(100, 50, 140, 100)


def started() -> TrackState:
    return TrackState.started(3, Detection(BOX, 0.9), 1.0, PARAMETERS.online)


def test_a_face_is_expected_to_keep_its_velocity_for_half_a_second() -> None:
    track = started()
    track.confirm(Detection(BOX.moved(8, 0), 0.8), 1.1)
    assert track.velocity == pytest.approx((40, 0))  # half of the newest measurement
    assert track.expected(1.2).left == pytest.approx(112)
    assert track.expected(1.6).left == track.expected(9.0).left == pytest.approx(128)


def test_the_gate_grows_with_the_time_since_the_last_detection_up_to_a_limit() -> None:
    track = started()
    assert track.gate(1.0) < track.gate(1.3) < track.gate(9.0) == track.gate(10.0)


def test_a_held_box_grows_and_covers_where_the_face_was_and_may_be() -> None:
    track = started()
    track.confirm(Detection(BOX.moved(8, 0), 0.8), 1.1)
    track.hold(1.3)
    assert track.origin is Origin.HELD
    assert track.box.covers(BOX.moved(8, 0))
    assert track.box.covers(track.expected(1.3))
    earlier = track.box
    track.hold(1.4)
    assert track.box.covers(earlier)


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(0.01, 20))
def test_a_held_box_never_reaches_farther_than_a_detection_would_be_taken_for_the_face(
    dx: float, dy: float, seconds: float
) -> None:
    track = started()
    track.confirm(Detection(BOX.moved(dx, dy), 0.8), 1.1)
    known, limits = track.known, PARAMETERS.online
    track.hold(1.1 + seconds)
    assert track.box.covers(known.padded(-1e-6))
    growth = 1 + 2 * limits.max_hold_growth_share
    reach = limits.max_gate_sizes * known.size
    assert track.box.width <= 1.001 * growth * (known.width + reach)
    assert track.box.height <= 1.001 * growth * (known.height + reach)


def test_a_tracked_box_is_known_but_not_confirmed() -> None:
    track = started()
    track.advance(BOX.moved(5, 5), 1.04)
    assert (track.origin, track.known, track.confirmed) == (Origin.TRACKED, track.box, BOX)


def test_in_views_of_another_size_all_is_scaled_and_a_new_tracker_starts() -> None:
    track = started()
    track.confirm(Detection(BOX.moved(8, 0), 0.8), 1.1)
    speed = track.speed
    track.rescale(0.5, 0.5)
    assert track.box == BOX.moved(8, 0).scaled(0.5, 0.5)
    assert track.speed == pytest.approx(speed)
    assert track.tracker is None


def test_the_state_has_all_that_what_follows_depends_on() -> None:
    changed: dict[str, Any] = {
        "box": BOX.moved(1, 0), "score": 0.1, "origin": Origin.HELD, "confirmed": BOX.moved(1, 0),
        "confirmed_seconds": 0.5, "known": BOX.moved(1, 0), "known_seconds": 0.5,
        "reliable_seconds": 0.5, "missed_detections": 1, "velocity": (1.0, 0.0),
        "tracker": StillTracker(), "way": Way(0, 1), "log_odds": [1.0], "classified_seconds": 0.5,
        "patch": np.ones((2, 2), np.float32),
    }  # fmt: skip
    assert started().state() == started().state()
    assert {field.name for field in fields(TrackState)} - changed.keys() == {
        "track_id",
        "parameters",
    }
    for name, value in changed.items():
        assert replace(started(), **{name: value}).state() != started().state(), name
