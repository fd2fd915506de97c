"""The online tracker, with a scripted detector and real trackers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.tracking.fakes import (
    FACE,
    PARAMETERS,
    PORTRAIT,
    RATE,
    SQUARE,
    LosingTracker,
    ScriptedClassifier,
    ScriptedDetector,
    csrt,
    detection,
    shifted,
    wall,
)
from tests.tracking.online_runs import online_tracker, run
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


def test_a_face_is_hidden_from_its_first_detection_on() -> None:
    frames = run(online_tracker([[], [detection(FACE)]], new_tracker=csrt()), [PORTRAIT] * 2)
    assert frames[0] == ()
    assert [face.box for face in frames[1]] == [FACE]
    assert frames[1][0].origin is Origin.DETECTED


def test_between_detections_the_tracker_tracks_the_moving_face() -> None:
    steps = [4.0 * index for index in range(13)]
    script = [[detection(FACE.moved(dx, 0))] for dx in steps[:3]]  # none is due for ten frames
    tracker = online_tracker(script, every=11, new_tracker=csrt())
    frames = run(tracker, [shifted(dx) for dx in steps])
    for dx, faces in zip(steps[3:], frames[3:], strict=True):
        assert [face.origin for face in faces] == [Origin.TRACKED]
        assert faces[0].box.iou(FACE.moved(dx, 0)) > 0.6


def test_a_missed_detection_never_lets_a_face_flash() -> None:
    script = [[detection(FACE)] if index % 4 == 0 else [] for index in range(40)]
    for faces in run(online_tracker(script, new_tracker=csrt()), [PORTRAIT] * 40):
        assert len(faces) == 1
        assert faces[0].track_id == 0
        assert faces[0].box.iou(FACE) > 0.6


def test_a_lost_face_is_held_and_its_box_grows_until_the_hold_is_over() -> None:
    frames = run(online_tracker([[detection(FACE)]]), [PORTRAIT] * 40)
    held = frames[1:26]
    assert all(faces[0].origin is Origin.HELD for faces in held)
    areas = [faces[0].box.area for faces in frames[:26]]
    assert all(later > earlier for earlier, later in pairwise(areas))
    assert all(faces[0].box.covers(FACE) for faces in held)
    assert frames[-1] == ()


def test_a_scene_cut_ends_a_track_at_once() -> None:
    other = np.full_like(PORTRAIT, (20, 200, 20))
    tracker = online_tracker([[detection(FACE)]], new_tracker=csrt())
    frames = run(tracker, [PORTRAIT, PORTRAIT, other])
    assert len(frames[1]) == 1
    assert frames[2] == ()


def test_the_detector_runs_at_once_after_a_cut() -> None:
    other = np.full_like(PORTRAIT, (20, 200, 20))
    detector = ScriptedDetector([[]] * 4)
    tracker = online_tracker(detector, every=10, new_tracker=csrt())
    run(tracker, [PORTRAIT] * 6)
    before = detector.calls
    tracker.step(other, 6 / RATE)
    assert detector.calls == before + 1


def test_after_a_jerk_of_the_camera_the_detector_runs_at_once_and_tracks_go_on() -> None:
    detector = ScriptedDetector([[detection(FACE)]] * 4)
    tracker = online_tracker(detector, every=10, new_tracker=csrt())
    run(tracker, [PORTRAIT] * 6)
    before = detector.calls
    step = tracker.step(shifted(90), 6 / RATE)
    assert step.change is Change.JERK
    assert detector.calls == before + 1
    assert [face.track_id for face in step.faces] == [0]


@pytest.mark.parametrize("speed", [3.0, 8.0, 14.0])
def test_two_faces_that_cross_keep_their_identity(speed: float) -> None:
    left, right = Box.from_xywh(20, 200, 60, 75), Box.from_xywh(420, 205, 60, 75)
    script = []
    for index in range(int(400 / speed)):
        dx = speed * index
        script.append([detection(right.moved(-dx, 0)), detection(left.moved(dx, 0))])
    frames = run(online_tracker(script), [PORTRAIT] * len(script))
    first = {face.track_id: face.box.center[0] for face in frames[0]}
    last = {face.track_id: face.box.center[0] for face in frames[-1]}
    assert first.keys() == last.keys() == {0, 1}
    for track_id, x in first.items():
        assert (x < 256) != (last[track_id] < 256)  # each crossed to the other side


def test_a_face_that_comes_back_within_the_hold_keeps_its_identity() -> None:
    script = [[detection(FACE)]] * 3 + [[]] * 10 + [[detection(FACE.moved(20, 0))]] * 2
    frames = run(online_tracker(script), [PORTRAIT] * len(script))
    assert {face.track_id for faces in frames for face in faces} == {0}


def test_parallel_trackers_give_the_boxes_of_sequential_ones() -> None:
    boxes = [FACE, Box.from_xywh(300, 300, 80, 80), Box.from_xywh(60, 330, 70, 90)]
    images = [shifted(3.0 * index) for index in range(8)]
    script = [[detection(box) for box in boxes]]
    sequential = run(online_tracker(script, new_tracker=csrt()), images)
    parallel = run(online_tracker(script, new_tracker=csrt(), threads=3), images)
    assert parallel == sequential


def test_a_detection_in_a_view_of_another_size_is_taken_as_it_is() -> None:
    script = [[detection(FACE)], [detection(FACE.scaled(0.5, 0.5))]]
    tracker = online_tracker(script, new_tracker=csrt())
    run(tracker, [PORTRAIT])
    half = np.asarray(cv2.resize(PORTRAIT, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
    faces = tracker.step(half, 1 / RATE).faces
    assert [face.box for face in faces] == [FACE.scaled(0.5, 0.5)]


def test_a_failing_detector_ends_the_run() -> None:
    class Broken(ScriptedDetector):
        def detect(self, image: Image, confidence: float) -> list[Detection]:
            raise RuntimeError("no memory")

    tracker = online_tracker(Broken([]))
    with pytest.raises(RuntimeError, match="no memory"):
        tracker.step(PORTRAIT, 0.0)


@pytest.mark.parametrize("rate", [0.4, 0.9, 5.0, 25.0])
@pytest.mark.parametrize("every", [1, 3, 60])
@pytest.mark.parametrize("hold_seconds", [0.0, 1.0])
def test_a_face_detected_on_every_detection_frame_never_flashes(
    rate: float, every: int, hold_seconds: float
) -> None:
    script = [[detection(FACE)]] * 70
    tracker = online_tracker(
        script, every=every, new_tracker=LosingTracker, hold_seconds=hold_seconds
    )
    for index in range(70):
        assert len(tracker.step(PORTRAIT, index / rate).faces) == 1


def test_a_gap_in_time_ends_no_track_whose_face_is_detected_again() -> None:
    tracker = online_tracker([[detection(FACE)], [], [detection(FACE)]])
    counts = [len(tracker.step(PORTRAIT, seconds).faces) for seconds in (0.0, 3.0, 3.04)]
    assert counts == [1, 1, 1]


def test_an_unconfirmed_tracker_is_trusted_for_a_while_then_its_box_is_held() -> None:
    frames = run(online_tracker([[detection(FACE)]], new_tracker=csrt()), [PORTRAIT] * 90)
    origins = [faces[0].origin for faces in frames if faces]
    assert origins[:51] == [Origin.DETECTED] + 50 * [Origin.TRACKED]
    assert set(origins[51:]) == {Origin.HELD}
    assert 20 <= len(origins[51:]) <= 27
    assert frames[-1] == ()


def test_a_flash_of_light_ends_no_track() -> None:
    white = np.full_like(PORTRAIT, 255)
    tracker = online_tracker([[detection(FACE)]], new_tracker=csrt())
    frames = run(tracker, [PORTRAIT, PORTRAIT, white, PORTRAIT, PORTRAIT])
    assert frames[2] == ()
    for faces in frames[3:]:
        assert [face.track_id for face in faces] == [0]
        assert faces[0].box.iou(FACE) > 0.5


def test_time_stamps_that_jitter_do_not_throw_a_box_out_of_the_frame() -> None:
    tracker = online_tracker([[detection(FACE)], [detection(FACE.moved(1, 0))], [], []])
    times = [0.0, 1e-5, 0.04, 0.08]
    boxes = [tracker.step(PORTRAIT, seconds).faces[0].box for seconds in times]
    assert all(box.width < 8 * FACE.width for box in boxes)


def test_a_detection_without_area_is_ignored() -> None:
    assert run(online_tracker([[detection(Box(5, 5, 5, 9))]]), [PORTRAIT]) == [()]


@pytest.mark.parametrize("box", [FACE.padded(1.0), FACE.padded(-0.3), FACE.moved(420, 0)])
def test_a_tracker_that_drifts_in_size_or_leaves_the_frame_has_lost_its_face(box: Box) -> None:
    class Drifting(LosingTracker):
        def update(self, image: Image) -> Box | None:
            return box

    frames = run(online_tracker([[detection(FACE)]], new_tracker=Drifting), [PORTRAIT] * 2)
    assert frames[1][0].origin is Origin.HELD


def test_a_held_face_keeps_its_velocity_for_a_moment() -> None:
    script = [[detection(FACE.moved(8.0 * index, 0))] for index in range(6)]
    frames = run(online_tracker(script), [PORTRAIT] * 9)
    for index in (6, 7, 8):
        assert frames[index][0].box.padded(0.05).covers(FACE.moved(8.0 * index, 0))


def test_a_face_unseen_for_long_is_matched_from_farther_away() -> None:
    near = FACE.moved(1.3 * FACE.size, 0)
    soon = run(online_tracker([[detection(FACE)], [detection(near)]]), [PORTRAIT] * 2)
    assert {face.track_id for face in soon[1]} == {0, 1}
    script = [[detection(FACE)], *[[]] * 20, [detection(near)]]
    last = run(online_tracker(script), [PORTRAIT] * 22)[-1]
    assert [face.track_id for face in last] == [0]


def test_an_occluded_face_is_held_for_a_tracker_would_go_over_to_the_other() -> None:
    behind = FACE.moved(20, 10)
    script = [[detection(FACE), detection(behind)], [detection(FACE)], [detection(FACE)]]
    frames = run(online_tracker(script, new_tracker=csrt()), [PORTRAIT] * 3)
    origins = {face.track_id: face.origin for face in frames[1]}
    assert origins == {0: Origin.DETECTED, 1: Origin.HELD}
    assert frames[2][1].box.covers(behind)


@pytest.mark.parametrize("ratio", [0.5, 0.75, 1.5])
def test_faces_are_tracked_when_the_view_changes_its_size(ratio: float) -> None:
    size = round(512 * ratio), round(512 * ratio)
    script = [
        [detection(FACE)],
        [detection(FACE.moved(4, 0))],
        [],
        [detection(FACE.scaled(ratio, ratio))],
    ]
    tracker = online_tracker(script, new_tracker=csrt())
    first = tracker.step(shifted(0), 0)
    tracker.step(shifted(4), 1 / RATE)
    resized = np.asarray(cv2.resize(shifted(8), size, interpolation=cv2.INTER_AREA), np.uint8)
    step = tracker.step(resized, 2 / RATE)
    assert [face.track_id for face in step.faces] == [first.faces[0].track_id]
    assert step.faces[0].origin is Origin.TRACKED
    assert step.faces[0].box.iou(FACE.moved(8, 0).scaled(ratio, ratio)) > 0.7
    step = tracker.step(resized, 3 / RATE)
    assert [face.track_id for face in step.faces] == [first.faces[0].track_id]


@pytest.mark.parametrize(("missed", "frames_held"), [(3, 3), (6, 6)])
def test_a_track_lives_for_as_many_missed_detections_as_the_parameters_say(
    missed: int, frames_held: int
) -> None:
    online = replace(PARAMETERS.online, min_missed_detections=missed)
    parameters = replace(PARAMETERS, online=online)
    tracker = online_tracker([[detection(FACE)]], hold_seconds=0.0, parameters=parameters)
    frames = run(tracker, [PORTRAIT] * 9)
    assert [bool(faces) for faces in frames] == [index < frames_held for index in range(9)]


def test_what_is_certainly_no_face_is_not_hidden_until_the_odds_are_better() -> None:
    """In the first pass, all of a track is known before that is decided."""
    images = [wall(SQUARE)] * 3
    script = [[detection(SQUARE)]] * 3
    never = ScriptedClassifier(-9)
    assert run(online_tracker(script, classifier=never), images) == [(), (), ()]
    unlikely = ScriptedClassifier(-3)
    assert [len(faces) for faces in run(online_tracker(script, classifier=unlikely), images)] == [
        1, 1, 1,
    ]  # fmt: skip
    tracker = online_tracker(script, classifier=never, hide_all=True)
    steps = [tracker.step(image, index / RATE) for index, image in enumerate(images)]
    assert [len(step.faces) for step in steps] == [1, 1, 1]
    assert [[one.log_odds for one in step.evidence] for step in steps] == [[-9.0]] * 3


def test_a_track_is_classified_often_at_first_and_then_now_and_then() -> None:
    classifier = ScriptedClassifier(3)
    tracker = online_tracker([[detection(SQUARE)]] * 50, classifier=classifier)
    evidence = [tracker.step(wall(SQUARE), index / RATE).evidence for index in range(50)]
    asked = [index for index, pairs in enumerate(evidence) if pairs]
    assert asked[:6] == [0, 1, 2, 3, 4, 5]
    assert asked[6:] == [10, 20, 31, 40]  # the first detection frames of each 0.4 seconds
