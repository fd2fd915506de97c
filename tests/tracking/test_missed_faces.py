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


class Recording(Redetector):
    """Remembers where and how it detects, and finds each face where it is expected, or none."""

    def __init__(self, *, finds: bool) -> None:
        super().__init__([BrightDetector()], PARAMETERS)
        self.asked: list[tuple[Box, Way]] = []
        self._finds = finds

    def detect(self, image: Image, expected: Box, way: Way = USUAL) -> Detection | None:
        self.asked.append((expected, way))
        return Detection(expected, 0.4) if self._finds else None


def face(number: int) -> Box:
    return Box.from_xywh(7.0 * number, 20, 6, 8)


def lost(count: int) -> list[TrackState]:
    """Return tracks of faces side by side, the odd ones detected later than the even ones."""
    return [
        TrackState.started(
            number, detection(face(number)), 0.04 * (number % 2), PARAMETERS.online, LYING
        )
        for number in range(count)
    ]


def missed_faces(redetector: Redetector, max_crops: int) -> MissedFaces:
    limits = replace(PARAMETERS.redetection, max_crops=max_crops)
    parameters = replace(PARAMETERS, redetection=limits)
    trusting = TrackClassifier(ScriptedClassifier(4.0), parameters.classification)
    return MissedFaces(redetector, trusting, parameters)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_few_faces_are_searched_for_in_each_way(count: int) -> None:
    redetector, tracks = Recording(finds=False), lost(count)
    still_missed = missed_faces(redetector, 2 * count).redetect(tracks, [], IMAGE, 0.08)
    assert still_missed == tracks
    assert redetector.asked == [(face(n), way) for n in range(count) for way in (USUAL, LYING)]


def test_of_a_crowd_those_that_were_detected_last_are_searched_for_once() -> None:
    redetector, tracks = Recording(finds=True), lost(40)
    still_missed = missed_faces(redetector, 20).redetect(tracks, [], IMAGE, 0.08)
    assert redetector.asked == [(face(number), USUAL) for number in range(1, 40, 2)]
    assert [track.track_id for track in still_missed] == list(range(0, 40, 2))
    assert [track.confirmed_seconds for track in tracks] == [0.0, 0.08] * 20


def test_a_face_that_another_track_has_stays_missed() -> None:
    tracks = [*lost(1), *lost(1)]
    found = missed_faces(Recording(finds=True), 9).redetect(tracks, [], IMAGE, 0.08)
    assert found == [tracks[1]]
    assert missed_faces(Recording(finds=True), 9).redetect(lost(1), [face(0)], IMAGE, 0.08)
