"""The classifier sees few detections at a time, and each gets its turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.tracking.fakes import PARAMETERS, SQUARE, ScriptedClassifier, detection, wall
from tracker_blur.core.box import Box
from tracker_blur.tracking.track_classifier import TrackClassifier
from tracker_blur.tracking.track_state import TrackState

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tracker_blur.core.frame import Image

LIMITS = PARAMETERS.classification


def test_false_alarms_that_score_better_do_not_keep_a_face_from_being_seen() -> None:
    alarms = [detection(Box.from_xywh(50.0 * index, 0, 20, 20), 0.4) for index in range(6)]
    face = detection(SQUARE, 0.3)
    classifier = ScriptedClassifier(-5.0, [(SQUARE, 5.0)])
    judge = TrackClassifier(classifier, LIMITS)
    answers = [judge.judged([*alarms, face], wall()) for _ in range(5)]
    assert sum((face, 5.0) in answer for answer in answers) == 1, "each of the rest has its turn"
    assert len(classifier.asked) == 5 * LIMITS.max_candidate_detections


def test_the_best_scored_are_asked_about_at_once() -> None:
    others = [detection(Box.from_xywh(50.0 * index, 0, 20, 20), 0.3) for index in range(6)]
    face = detection(SQUARE, 0.35)
    judge = TrackClassifier(ScriptedClassifier(-5.0, [(SQUARE, 5.0)]), LIMITS)
    assert all((face, 5.0) in judge.judged([*others, face], wall()) for _ in range(3))


def test_without_a_classifier_there_is_no_opinion() -> None:
    judge = TrackClassifier(None, LIMITS)
    track = TrackState.started(0, detection(SQUARE), 0.0, PARAMETERS.online)
    assert judge.judged([detection(SQUARE)], wall()) == []
    assert judge.classify([track], wall(), 0.0) == ()
    assert not judge.is_rejected(track)
    assert not judge.is_trusted(track)


@pytest.mark.parametrize(("before", "now", "is_rejected"), [(9.0, -9.0, True), (-9.0, 9.0, False)])
def test_of_a_track_that_lasts_long_the_newest_crops_decide(
    before: float, now: float, is_rejected: bool
) -> None:
    judge = TrackClassifier(ScriptedClassifier(now), replace(LIMITS, remembered_crops=20))
    track = TrackState.started(0, detection(SQUARE), 0.0, PARAMETERS.online)
    track.log_odds = [before] * 20
    for number in range(1, 21):
        seconds = float(number)
        track.confirm(detection(SQUARE), seconds)
        assert judge.classify([track], wall(SQUARE), seconds) == ((0, now, track.box.size),)
    assert track.log_odds == [now] * 20
    assert judge.is_rejected(track) == is_rejected


def test_every_track_of_a_crowd_has_its_turn() -> None:
    limits = replace(LIMITS, max_view_crops=4, first_crops=2, interval_seconds=100.0)
    judge = TrackClassifier(ScriptedClassifier(3.0), limits)
    box = Box.from_xywh(0, 0, 20, 20)
    crowd = [
        TrackState.started(number, detection(box), 0.0, PARAMETERS.online) for number in range(10)
    ]
    counts = []
    for view in range(7):
        seconds = 0.04 * view
        for track in crowd:
            track.confirm(detection(box), seconds)
        counts.append(len(judge.classify(crowd, wall(), seconds)))
        if view == 2:
            assert {len(track.log_odds) for track in crowd} == {1, 2}
    assert counts == [4, 4, 4, 4, 4, 0, 0]
    assert {len(track.log_odds) for track in crowd} == {2}


@pytest.mark.parametrize(
    ("before", "answers"),
    [
        ([-4.0] * 9, [5.0, 5.0, 5.0]),  # a face has taken the place of something else
        ([-4.0] * 9, [-1.0]),  # better than before, but no face
        ([2.0, 2.0, 2.0, -4.0], [1.0]),  # no better than before
        ([5.0] * 9, [6.0]),  # a face for certain
    ],
)
def test_what_looks_more_like_a_face_than_before_is_classified_until_it_is_certain(
    before: list[float], answers: list[float]
) -> None:
    judge = TrackClassifier(ScriptedClassifier(answers[0]), replace(LIMITS, interval_seconds=100.0))
    track = TrackState.started(0, detection(SQUARE), 0.0, PARAMETERS.online)
    track.log_odds = [*before, *[before[-1]] * LIMITS.first_crops]
    given: list[float] = []
    for number in range(6):
        seconds = 100.0 + 0.04 * number  # the first view of an interval
        track.confirm(detection(SQUARE), seconds)
        given.extend(one.log_odds for one in judge.classify([track], wall(SQUARE), seconds))
    assert given == answers


class SeeingClassifier(ScriptedClassifier):
    """Takes any box for a face while the image shows something within the square."""

    def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
        left, top, right, bottom = SQUARE.outward()
        return np.full(len(boxes), 5.0 if image[top:bottom, left:right].std((0, 1)).any() else -5.0)


@pytest.mark.parametrize(
    ("score", "side", "odds", "answer"),
    [
        (0.4, 90, [5.0] * LIMITS.first_crops, -5.0),
        (0.8, 90, [5.0] * LIMITS.first_crops, 5.0),  # it scores as much
        (0.4, 30, [5.0] * LIMITS.first_crops, 5.0),  # it is not large
        (0.4, 90, [1.0] * LIMITS.first_crops, 5.0),  # the other one has low odds
        (0.4, 90, [5.0] * (LIMITS.pooled_crops - 1), 5.0),  # and few crops
    ],
)
def test_a_known_face_is_no_evidence_for_a_larger_weaker_track_around_it(
    score: float, side: float, odds: list[float], answer: float
) -> None:
    face = TrackState.started(0, detection(SQUARE, 0.9), 0.0, PARAMETERS.online)
    face.log_odds = odds
    around = Box.around(SQUARE.center, side, side)
    body = TrackState.started(1, detection(around, score), 0.0, PARAMETERS.online)
    judge = TrackClassifier(SeeingClassifier(0.0), LIMITS)
    _, crop = judge.classify([face, body], wall(), 0.0)
    assert (crop.track_id, crop.log_odds) == (1, answer)
