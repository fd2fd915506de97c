"""Tracks that were not detected are advanced with their own trackers, or held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.tracking.fakes import PARAMETERS, SQUARE, LosingTracker, StillTracker, detection, wall
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.advancing import Advancer
from tracker_blur.tracking.track_state import TrackState

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.frame import Image
    from tracker_blur.trackers import Tracker

IMAGE = wall(SQUARE)


class ShiftingTracker(StillTracker):
    """Says that the face moves by 3 pixels."""

    def start(self, image: Image, box: Box) -> None:
        self._box = box

    def update(self, image: Image) -> Box | None:
        self._box = self._box.moved(3, 0)
        return self._box


def tracks(count: int = 1) -> list[TrackState]:
    return [
        TrackState.started(
            number, detection(SQUARE.moved(0, 10.0 * number)), 0.0, PARAMETERS.online
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_track_goes_where_its_own_tracker_says(threads: int, count: int) -> None:
    advancer, moving = Advancer(ShiftingTracker, 1.0, PARAMETERS, threads), tracks(count)
    for number in (1, 2):
        advancer.advance(moving, [], IMAGE, IMAGE, 0.04 * number)
    assert [track.box for track in moving] == [
        SQUARE.moved(6, 10.0 * number) for number in range(count)
    ]
    assert {track.origin for track in moving} <= {Origin.TRACKED}


@pytest.mark.parametrize(
    ("new_tracker", "front", "last_image"),
    [
        (None, [], IMAGE),
        (LosingTracker, [], IMAGE),
        (ShiftingTracker, [SQUARE.padded(0.2)], IMAGE),  # another face is in front
        (ShiftingTracker, [], None),  # there is no view in which it could start
    ],
)
def test_what_cannot_be_tracked_is_held_and_grows(
    new_tracker: Callable[[], Tracker] | None, front: list[Box], last_image: Image | None
) -> None:
    (track,) = tracks()
    advancer = Advancer(new_tracker, 1.0, PARAMETERS)
    advancer.advance([track], front, last_image, IMAGE, 0.04)
    assert track.origin is Origin.HELD
    assert track.box.covers(SQUARE)
    assert track.box.area > SQUARE.area


def test_a_tracker_that_no_detection_confirms_is_trusted_for_a_while_only() -> None:
    (track,) = tracks()
    track.missed_detections = 1
    advancer = Advancer(ShiftingTracker, 0.5, PARAMETERS)
    origins = []
    for seconds in (0.5, 1.0, 1.04):
        advancer.advance([track], [], IMAGE, IMAGE, seconds)
        origins.append(track.origin)
    assert origins == [Origin.TRACKED, Origin.TRACKED, Origin.HELD]


corners = st.integers(0, 60).map(float)
sides = st.integers(1, 40).map(float)
boxes = st.lists(st.builds(Box.from_xywh, corners, corners, sides, sides), max_size=8)


@given(boxes, boxes)
def test_who_is_behind_a_detected_face_is_held(behind: list[Box], front: list[Box]) -> None:
    online = PARAMETERS.online
    moving = [
        TrackState.started(number, detection(box), 0.0, online) for number, box in enumerate(behind)
    ]
    Advancer(StillTracker, 1.0, PARAMETERS).advance(moving, front, IMAGE, IMAGE, 0.04)
    held = [
        any(one.intersection_area(box) > online.max_occluded_share * box.area for one in front)
        for box in behind
    ]
    assert [track.origin is Origin.HELD for track in moving] == held


def test_of_a_crowd_those_that_were_detected_last_have_trackers_and_the_others_are_held() -> None:
    parameters = replace(PARAMETERS, online=replace(PARAMETERS.online, max_tracked_faces=5))
    crowd = tracks(8)
    for track in crowd[::2]:
        track.confirm(detection(track.box), 0.04)
    Advancer(ShiftingTracker, 1.0, parameters).advance(crowd, [], IMAGE, IMAGE, 0.08)
    tracked = [track.track_id for track in crowd if track.origin is Origin.TRACKED]
    assert tracked == [0, 1, 2, 4, 6]
    for track in crowd:
        assert track.box.covers(track.confirmed) is (track.origin is Origin.HELD)
