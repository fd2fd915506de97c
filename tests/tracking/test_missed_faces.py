"""Missed faces are detected again in crops, as many as a view's time allows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.tracking.fakes import (
    PARAMETERS,
    BrightDetector,
    ScriptedClassifier,
    detection,
    wall,
)
from tracker_blur.core.box import Box, Detection
from tracker_blur.tracking.extra_detection import USUAL, Way
from tracker_blur.tracking.missed_faces import MissedFaces
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.track_classifier import TrackClassifier
from tracker_blur.tracking.track_state import TrackState

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

IMAGE = wall()
LYING = Way(0, 1)
OTHER = Way(1, 0)


class Recording(Redetector):
    """Remembers where and how it detects, and finds faces where they are expected, in some ways."""

    def __init__(self, *ways: Way) -> None:
        super().__init__([BrightDetector()], PARAMETERS)
        self.asked: list[tuple[Box, Way]] = []
        self._ways = ways

    def detect(self, image: Image, expected: Box, way: Way = USUAL) -> Detection | None:
        self.asked.append((expected, way))
        return Detection(expected, 0.4) if way in self._ways else None


def face(number: int) -> Box:
    return Box.from_xywh(7.0 * number, 20, 6, 8)


def lost(count: int, way: Way = LYING) -> list[TrackState]:
    """Return tracks of faces side by side, the odd ones detected later than the even ones."""
    return [
        TrackState.started(
            number, detection(face(number)), 0.04 * (number % 2), PARAMETERS.online, way
        )
        for number in range(count)
    ]


def trusted(tracks: list[TrackState]) -> list[TrackState]:
    """Let the classifier have taken them for faces."""
    for track in tracks:
        track.log_odds = [4.0, 4.0]
    return tracks


def missed_faces(redetector: Redetector, max_crops: int) -> MissedFaces:
    limits = replace(PARAMETERS.redetection, max_crops=max_crops)
    parameters = replace(PARAMETERS, redetection=limits)
    classifier = TrackClassifier(ScriptedClassifier(4.0), parameters.classification)
    return MissedFaces(redetector, classifier, parameters)


def latest_first(count: int) -> list[int]:
    return [*range(1, count, 2), *range(0, count, 2)]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_few_faces_are_searched_for_in_each_way(count: int) -> None:
    redetector, tracks = Recording(), lost(count)
    still_missed = missed_faces(redetector, 2 * count).redetect(tracks, [], IMAGE, 0.08)
    assert still_missed == tracks
    order = latest_first(count)
    assert redetector.asked == [(face(n), way) for way in (LYING, USUAL) for n in order]


@pytest.mark.parametrize("way", [USUAL, LYING, Way(0, 2), OTHER])
@pytest.mark.parametrize("count", [16, 17, 31, 32])
def test_as_many_faces_as_there_are_crops_are_found_as_they_were_last_detected(
    way: Way, count: int
) -> None:
    redetector, tracks = Recording(way), trusted(lost(count, way))
    assert missed_faces(redetector, 32).redetect(tracks, [], IMAGE, 0.08) == []
    assert len(redetector.asked) == count
    assert {track.way for track in tracks} == {way}


def test_of_a_crowd_those_that_were_detected_last_are_searched_for_once() -> None:
    redetector, tracks = Recording(LYING), lost(40)
    still_missed = missed_faces(redetector, 20).redetect(tracks, [], IMAGE, 0.08)
    assert redetector.asked == [(face(number), LYING) for number in range(1, 40, 2)]
    assert [track.track_id for track in still_missed] == list(range(0, 40, 2))
    assert [track.confirmed_seconds for track in tracks] == [0.0, 0.08] * 20


def test_crops_that_are_left_go_to_the_usual_way_and_then_to_a_turned_one() -> None:
    tracks = trusted([*lost(4), *lost(10, USUAL)[4:]])
    order, no_one = latest_first(10), Recording()
    missed_faces(no_one, 17).redetect(tracks, [], IMAGE, 0.08)
    assert no_one.asked == [
        *((face(n), LYING if n < 4 else USUAL) for n in order),
        *((face(n), USUAL) for n in (1, 3, 0, 2)),
        *((face(n), LYING) for n in (5, 7, 9)),
    ]


def test_a_crop_that_a_found_face_does_not_need_goes_to_another_one() -> None:
    tracks = trusted([*lost(4, USUAL), *lost(10, OTHER)[4:]])
    redetector = Recording(USUAL)  # those of the other detector are seen in the usual way now
    assert missed_faces(redetector, 16).redetect(tracks, [], IMAGE, 0.08) == []
    assert len(redetector.asked) == 16
    assert {track.way for track in tracks} == {USUAL}


def test_a_face_that_another_track_has_stays_missed() -> None:
    first, second = lost(2)
    second.box = second.known = second.confirmed = first.box
    for tracks in ([first, second], [second, first]):  # the second was detected later
        redetector = Recording(LYING)
        assert missed_faces(redetector, 9).redetect(tracks, [], IMAGE, 0.08) == [first]
        assert redetector.asked == [(face(0), LYING)] * 2
        second.confirmed_seconds = second.known_seconds = 0.04


def test_a_face_next_to_it_that_a_crop_shows_is_not_taken_for_it() -> None:
    class Neighboring(Recording):
        def detect(self, image: Image, expected: Box, way: Way = USUAL) -> Detection | None:
            return Detection(expected.moved(1.7, 0), 0.4)

    tracks, other = lost(1), confirmed(face(0).moved(3.3, 0))
    assert missed_faces(Neighboring(), 9).redetect(tracks, [other], IMAGE, 0.08) == tracks
    assert missed_faces(Neighboring(), 9).redetect(tracks, [], IMAGE, 0.08) == []


def confirmed(box: Box, log_odds: float = 4.0) -> TrackState:
    track = TrackState.started(99, detection(box), 0.08, PARAMETERS.online)
    track.log_odds = [log_odds]
    return track


@pytest.mark.parametrize(("width", "is_occluded"), [(3, False), (3.1, True), (60, True)])
def test_a_face_behind_another_one_is_not_searched_for(width: float, is_occluded: bool) -> None:
    behind, neighbor = lost(2)
    in_front = confirmed(Box.from_xywh(behind.box.right - width, 20, width, 8))
    redetector = Recording(LYING)
    missed_faces(redetector, 9).redetect([behind, neighbor], [in_front], IMAGE, 0.08)
    assert [box for box, _ in redetector.asked] == [
        face(number) for number in ([1] if is_occluded else [1, 0])
    ]


def test_a_face_in_a_body_that_is_known_to_be_none_is_searched_for() -> None:
    body = confirmed(Box.from_xywh(-30, 0, 80, 90), log_odds=-9.0)
    tracks = lost(2)
    assert missed_faces(Recording(LYING), 9).redetect(tracks, [body], IMAGE, 0.08) == []


def test_a_face_is_behind_another_one_where_it_is_expected_by_now() -> None:
    (moving,) = lost(1)
    moving.velocity = (100.0, 0.0)
    expected = moving.expected(0.08)
    assert expected.left > moving.box.right
    for box, count in ((moving.box, 1), (expected, 0)):
        redetector = Recording()
        missed_faces(redetector, 1).redetect([moving], [confirmed(box)], IMAGE, 0.08)
        assert len(redetector.asked) == count
