"""What detection frames confirm and start, with a scripted detector."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.tracking.fakes import (
    FACE,
    PARAMETERS,
    PORTRAIT,
    SQUARE,
    BrightDetector,
    ScriptedClassifier,
    ScriptedDetector,
    csrt,
    detection,
    wall,
)
from tests.tracking.online_runs import online_tracker, run
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.parameters import ExtraDetectionParameters
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.extra_detection import USUAL, ExtraDetection, Way
from tracker_blur.tracking.redetection import Redetector

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


def test_low_confidence_detections_confirm_a_track_but_never_start_one() -> None:
    low = detection(FACE, 0.3)
    assert run(online_tracker([[low]] * 3, new_tracker=csrt()), [PORTRAIT] * 3) == [()] * 3
    script = [[detection(FACE)], [low], [low]]
    frames = run(online_tracker(script, new_tracker=csrt()), [PORTRAIT] * 3)
    assert [faces[0].origin for faces in frames] == [Origin.DETECTED] * 3


def test_low_confidence_detections_that_agree_several_times_in_a_row_start_a_track() -> None:
    low, lower = detection(FACE, 0.45), detection(FACE, 0.3)
    frames = run(online_tracker([[low]] * 5, new_tracker=csrt()), [PORTRAIT] * 5)
    assert [len(faces) for faces in frames] == [0, 0, 0, 1, 1]
    assert run(online_tracker([[lower]] * 9, new_tracker=csrt()), [PORTRAIT] * 9) == [()] * 9
    elsewhere = detection(FACE.moved(200, 0), 0.45)
    script = [[low], [elsewhere]] * 4
    assert run(online_tracker(script, new_tracker=csrt()), [PORTRAIT] * 8) == [()] * 8


def test_a_still_background_that_agrees_with_itself_starts_no_track() -> None:
    background = detection(Box(10, 10, 500, 500), 0.49)
    assert run(online_tracker([[background]] * 20), [PORTRAIT] * 20) == [()] * 20
    small = detection(FACE, 0.49)
    assert run(online_tracker([[small]] * 20), [PORTRAIT] * 20)[-1] != ()


def test_a_face_that_fills_the_frame_must_be_detected_well() -> None:
    near = Box(40, 40, 480, 500)
    assert run(online_tracker([[detection(near, 0.6)]]), [PORTRAIT]) == [()]
    assert [face.box for face in run(online_tracker([[detection(near, 0.7)]]), [PORTRAIT])[0]] == [
        near
    ]


def test_the_classifier_lets_a_low_confidence_detection_start_a_track_at_once() -> None:
    script = [[detection(SQUARE, 0.3)], []]
    assert run(online_tracker(script, classifier=ScriptedClassifier(-1)), [wall(SQUARE)]) == [()]
    ((started,),) = run(online_tracker(script, classifier=ScriptedClassifier(4)), [wall(SQUARE)])
    assert started.box == SQUARE


def test_low_confidence_detections_that_may_be_faces_are_reported_as_untracked() -> None:
    face = detection(SQUARE, 0.3)
    for log_odds, untracked in ((-1.0, ()), (0.5, ((face, 0.5),)), (4.0, ())):
        tracker = online_tracker([[face]], classifier=ScriptedClassifier(log_odds))
        assert tracker.step(wall(SQUARE), 0.0).untracked == untracked


@pytest.mark.parametrize(("log_odds", "count"), [(4.0, 1), (-1.0, 0)])
def test_a_turned_copy_starts_a_track_if_the_classifier_agrees(log_odds: float, count: int) -> None:
    extra = [ExtraDetection(BrightDetector(), Way(0, quarters), 0.3) for quarters in (1, 2)]
    tracker = online_tracker([], classifier=ScriptedClassifier(log_odds), extra_detections=extra)
    faces = run(tracker, [wall(SQUARE)])[0]
    assert len(faces) == count
    assert all(face.box.iou(SQUARE) > 0.8 for face in faces)


def test_a_face_known_already_is_not_started_again_by_an_extra_detection() -> None:
    extra = [ExtraDetection(BrightDetector(), Way(0, 1), 0.3)]
    script = [[detection(SQUARE)]] * 20
    tracker = online_tracker(script, classifier=ScriptedClassifier(4), extra_detections=extra)
    assert {face.track_id for faces in run(tracker, [wall(SQUARE)] * 20) for face in faces} == {0}


@pytest.mark.parametrize(("score", "count"), [(0.9, 1), (0.3, 2)])
def test_a_part_of_a_high_confidence_face_starts_no_track(score: float, count: int) -> None:
    chin = Box(SQUARE.left + 8, SQUARE.top + 16, SQUARE.right - 8, SQUARE.bottom)
    script = [[detection(SQUARE, score), detection(chin, 0.3)]]
    classifier = ScriptedClassifier(4)
    tracker = online_tracker(script, classifier=classifier)
    assert len(run(tracker, [wall(SQUARE)])[0]) == count
    turned = ScriptedDetector([[], [detection(chin, score)]])
    script = [[detection(SQUARE, score)]] * 20
    extra = [ExtraDetection(turned, Way(1, 0), 0.3)]
    tracker = online_tracker(script, classifier=classifier, extra_detections=extra)
    assert len(run(tracker, [wall(SQUARE)] * 20)[-1]) == 1


def test_a_face_that_lies_starts_a_track_in_a_body_that_scores_less() -> None:
    """The body looks like a face first, and is trusted; it must not take the face away."""
    body = SQUARE.padded(0.3)
    turned = ScriptedDetector([[], [detection(SQUARE, 0.55)]])
    extra = [ExtraDetection(turned, Way(1, 0), 0.3)]
    for score, count in ((0.35, 2), (0.5, 1)):
        tracker = online_tracker(
            [[detection(body, score)]] * 20,
            classifier=ScriptedClassifier(4),
            extra_detections=extra,
        )
        assert len(run(tracker, [wall(SQUARE)] * 20)[-1]) == count


def test_all_of_a_head_around_a_known_ear_starts_a_track() -> None:
    ear = Box.around(SQUARE.center, SQUARE.width / 3, SQUARE.height / 3)
    script = [[detection(ear, 0.9), detection(SQUARE, 0.3)]]
    tracker = online_tracker(script, classifier=ScriptedClassifier(4))
    assert {face.box for face in run(tracker, [wall(SQUARE)])[0]} == {ear, SQUARE}


def test_an_extra_detection_confirms_a_track_that_the_detector_misses() -> None:
    parameters = replace(
        PARAMETERS, extra_detections=ExtraDetectionParameters(interval_seconds=0.2)
    )
    extra = [ExtraDetection(BrightDetector(), Way(0, 1), 0.3)]
    tracker = online_tracker(
        [[detection(SQUARE)]],
        hold_seconds=0.3,
        classifier=ScriptedClassifier(4),
        extra_detections=extra,
        parameters=parameters,
    )
    assert all(len(faces) == 1 for faces in run(tracker, [wall(SQUARE)] * 40))


def test_a_missed_face_is_redetected_as_it_was_last_detected() -> None:
    class Recording(Redetector):
        """Never detects anything, and notes how it was tried."""

        def __init__(self) -> None:
            self.ways: list[Way] = []

        def detect(self, image: Image, expected: Box, way: Way = USUAL) -> Detection | None:
            self.ways.append(way)
            return None

    redetector = Recording()
    extra = [ExtraDetection(BrightDetector(), Way(1, 3), 0.3)]
    tracker = online_tracker(
        [], classifier=ScriptedClassifier(4), extra_detections=extra, redetector=redetector
    )
    run(tracker, [wall(SQUARE), wall(), wall()])
    assert redetector.ways == [Way(1, 3), USUAL, Way(0, 1), Way(1, 3), USUAL, Way(0, 3)]


def test_low_confidence_detections_confirm_for_as_long_as_the_classifier_agrees() -> None:
    script = [[detection(SQUARE)], *[[detection(SQUARE, 0.3)]] * 60]
    images = [wall(SQUARE)] * 61
    kept = run(online_tracker(script, hold_seconds=0.2, classifier=ScriptedClassifier(4)), images)
    assert all(len(faces) == 1 for faces in kept)
    unlikely = ScriptedClassifier(-1)
    ended = run(online_tracker(script, hold_seconds=0.2, classifier=unlikely), images)
    assert ended[-1] == ()
