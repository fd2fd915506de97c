"""The online loop, with a detector that says what the test wants and real trackers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage import data

from tracker_blur.core import plugins
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.trackers import Tracker
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.weights.store import Weights

RATE = 25.0
PORTRAIT: Image = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
FACE = Box.from_xywh(176, 60, 96, 120)


class Script:
    """A detector that reports, at its nth look, the nth list of finds."""

    default_confidence = 0.5
    low_confidence = 0.2

    def __init__(self, looks: Sequence[Sequence[Detection]]) -> None:
        self._looks = list(looks)
        self.looked = 0

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        finds = self._looks[self.looked] if self.looked < len(self._looks) else []
        self.looked += 1
        return [find for find in finds if find.score >= confidence]


def csrt() -> Callable[[], Tracker]:
    factory: Callable[[], Tracker] = plugins.load("tracker_blur.trackers", "csrt").load(
        Weights(None)
    )
    return factory


def follower(
    looks: Sequence[Sequence[Detection]],
    every: int = 1,
    tracker: bool = True,
    hold_seconds: float = 1.0,
    threads: int = 1,
) -> OnlineTracker:
    return OnlineTracker(
        Script(looks),
        0.5,
        csrt() if tracker else None,
        DetectionSchedule(every, RATE),
        hold_seconds,
        time.perf_counter,
        threads,
    )


def found(box: Box, score: float = 0.9) -> Detection:
    return Detection(box, score)


def shifted(dx: float, dy: float = 0.0) -> Image:
    motion = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(PORTRAIT, motion, (512, 512), borderMode=cv2.BORDER_REFLECT)


def run(loop: OnlineTracker, pictures: Sequence[Image]) -> list[tuple[Face, ...]]:
    return [loop.step(picture, index / RATE).faces for index, picture in enumerate(pictures)]


def test_a_face_is_hidden_from_its_first_detection_on() -> None:
    frames = run(follower([[], [found(FACE)]]), [PORTRAIT] * 2)
    assert frames[0] == ()
    assert [face.box for face in frames[1]] == [FACE]
    assert frames[1][0].origin is Origin.DETECTED


def test_between_detections_the_tracker_follows_the_moving_face() -> None:
    steps = [4.0 * index for index in range(13)]
    looks = [[found(FACE.moved(dx, 0))] for dx in steps[:3]]  # then nothing is due for ten frames
    frames = run(follower(looks, every=11), [shifted(dx) for dx in steps])
    for dx, faces in zip(steps[3:], frames[3:], strict=True):
        assert [face.origin for face in faces] == [Origin.FOLLOWED]
        assert faces[0].box.iou(FACE.moved(dx, 0)) > 0.6


def test_a_missed_detection_never_lets_a_face_flash() -> None:
    looks = [[found(FACE)] if index % 4 == 0 else [] for index in range(40)]
    for faces in run(follower(looks), [PORTRAIT] * 40):
        assert len(faces) == 1
        assert faces[0].track_id == 0
        assert faces[0].box.iou(FACE) > 0.6


def test_a_lost_face_is_held_and_its_box_grows_until_the_hold_is_over() -> None:
    frames = run(follower([[found(FACE)]], tracker=False), [PORTRAIT] * 40)
    held = frames[1:26]
    assert all(faces[0].origin is Origin.HELD for faces in held)
    areas = [faces[0].box.area for faces in frames[:26]]
    assert all(later > earlier for earlier, later in pairwise(areas))
    assert all(faces[0].box.covers(FACE) for faces in held)
    assert frames[-1] == ()


def test_a_scene_cut_ends_a_track_at_once() -> None:
    other = np.full_like(PORTRAIT, (20, 200, 20))
    frames = run(follower([[found(FACE)]]), [PORTRAIT, PORTRAIT, other])
    assert len(frames[1]) == 1
    assert frames[2] == ()


def test_the_detector_looks_at_once_after_a_cut() -> None:
    other = np.full_like(PORTRAIT, (20, 200, 20))
    loop = follower([[]] * 4, every=10)
    run(loop, [PORTRAIT] * 6)
    script = loop._detector
    assert isinstance(script, Script)
    before = script.looked
    loop.step(other, 6 / RATE)
    assert script.looked == before + 1


def test_weak_finds_confirm_a_track_but_never_start_one() -> None:
    weak = found(FACE, 0.3)
    assert run(follower([[weak]] * 3), [PORTRAIT] * 3) == [()] * 3
    frames = run(follower([[found(FACE)], [weak], [weak]]), [PORTRAIT] * 3)
    assert [faces[0].origin for faces in frames] == [Origin.DETECTED] * 3


def test_weak_finds_that_agree_several_times_in_a_row_start_a_track() -> None:
    weak, weaker = found(FACE, 0.45), found(FACE, 0.3)
    frames = run(follower([[weak]] * 5), [PORTRAIT] * 5)
    assert [len(faces) for faces in frames] == [0, 0, 0, 1, 1]
    assert run(follower([[weaker]] * 9), [PORTRAIT] * 9) == [()] * 9
    elsewhere = found(FACE.moved(200, 0), 0.45)
    assert run(follower([[weak], [elsewhere]] * 4), [PORTRAIT] * 8) == [()] * 8


@pytest.mark.parametrize("speed", [3.0, 8.0, 14.0])
def test_two_faces_that_cross_keep_their_identity(speed: float) -> None:
    left, right = Box.from_xywh(20, 200, 60, 75), Box.from_xywh(420, 205, 60, 75)
    looks = []
    for index in range(int(400 / speed)):
        dx = speed * index
        looks.append([found(right.moved(-dx, 0)), found(left.moved(dx, 0))])
    frames = run(follower(looks, tracker=False), [PORTRAIT] * len(looks))
    first = {face.track_id: face.box.center[0] for face in frames[0]}
    last = {face.track_id: face.box.center[0] for face in frames[-1]}
    assert first.keys() == last.keys() == {0, 1}
    for track_id, x in first.items():
        assert (x < 256) != (last[track_id] < 256)  # each went over to the other side


def test_a_face_that_comes_back_within_the_hold_keeps_its_identity() -> None:
    looks = [[found(FACE)]] * 3 + [[]] * 10 + [[found(FACE.moved(20, 0))]] * 2
    frames = run(follower(looks, tracker=False), [PORTRAIT] * len(looks))
    assert {face.track_id for faces in frames for face in faces} == {0}


def test_trackers_side_by_side_find_what_they_find_one_after_the_other() -> None:
    boxes = [FACE, Box.from_xywh(300, 300, 80, 80), Box.from_xywh(60, 330, 70, 90)]
    pictures = [shifted(3.0 * index) for index in range(8)]
    looks = [[found(box) for box in boxes]]
    alone = run(follower(looks), pictures)
    together = run(follower(looks, threads=3), pictures)
    assert together == alone


def test_a_change_of_picture_size_starts_anew() -> None:
    loop = follower([[found(FACE)], [found(FACE.scaled(0.5, 0.5))]])
    run(loop, [PORTRAIT])
    half = cv2.resize(PORTRAIT, (256, 256), interpolation=cv2.INTER_AREA)
    faces = loop.step(half, 1 / RATE).faces
    assert [face.box for face in faces] == [FACE.scaled(0.5, 0.5)]


def test_a_failing_detector_ends_the_run() -> None:
    class Broken(Script):
        def detect(self, image: Image, confidence: float) -> list[Detection]:
            raise RuntimeError("no memory")

    loop = OnlineTracker(Broken([]), 0.5, None, DetectionSchedule(1, RATE), 1.0, time.perf_counter)
    with pytest.raises(RuntimeError, match="no memory"):
        loop.step(PORTRAIT, 0.0)


@pytest.mark.parametrize("rate", [0.4, 0.9, 5.0, 25.0])
@pytest.mark.parametrize("every", [1, 3, 60])
@pytest.mark.parametrize("hold_seconds", [0.0, 1.0])
def test_a_face_found_at_every_look_never_flashes(
    rate: float, every: int, hold_seconds: float
) -> None:
    looks = [[found(FACE)]] * 70
    loop = follower(looks, every=every, tracker=False, hold_seconds=hold_seconds)
    loop._new_tracker = lambda: Blind()
    for index in range(70):
        assert len(loop.step(PORTRAIT, index / rate).faces) == 1


class Blind:
    """A tracker that loses its face at once."""

    def start(self, image: Image, box: Box) -> None:
        pass

    def update(self, image: Image) -> Box | None:
        return None


def test_a_gap_in_time_ends_no_face_that_is_found_again() -> None:
    loop = follower([[found(FACE)], [], [found(FACE)]], tracker=False)
    assert [len(loop.step(PORTRAIT, seconds).faces) for seconds in (0.0, 3.0, 3.04)] == [1, 1, 1]


def test_a_tracker_that_nothing_confirms_is_trusted_for_a_while_then_its_box_is_held() -> None:
    frames = run(follower([[found(FACE)]]), [PORTRAIT] * 90)
    origins = [faces[0].origin for faces in frames if faces]
    assert origins[:51] == [Origin.DETECTED] + 50 * [Origin.FOLLOWED]
    assert set(origins[51:]) == {Origin.HELD}
    assert 20 <= len(origins[51:]) <= 27
    assert frames[-1] == ()


def test_a_flash_of_light_ends_no_track() -> None:
    white = np.full_like(PORTRAIT, 255)
    frames = run(follower([[found(FACE)]]), [PORTRAIT, PORTRAIT, white, PORTRAIT, PORTRAIT])
    assert frames[2] == ()
    for faces in frames[3:]:
        assert [face.track_id for face in faces] == [0]
        assert faces[0].box.iou(FACE) > 0.5


def test_time_stamps_that_jitter_do_not_throw_a_box_out_of_the_picture() -> None:
    looks = [[found(FACE)], [found(FACE.moved(1, 0))], [], []]
    loop = follower(looks, tracker=False)
    times = [0.0, 1e-5, 0.04, 0.08]
    boxes = [loop.step(PORTRAIT, seconds).faces[0].box for seconds in times]
    assert all(box.width < 8 * FACE.width for box in boxes)


def test_a_find_without_area_is_no_face() -> None:
    assert run(follower([[found(Box(5, 5, 5, 9))]]), [PORTRAIT]) == [()]


def test_a_tracker_that_drifts_in_size_or_leaves_the_picture_has_lost_its_face() -> None:
    class Odd(Blind):
        def __init__(self, box: Box) -> None:
            self._box = box

        def update(self, image: Image) -> Box | None:
            return self._box

    for box in (FACE.padded(1.0), FACE.padded(-0.3), FACE.moved(420, 0)):
        loop = follower([[found(FACE)]], tracker=False)
        loop._new_tracker = lambda box=box: Odd(box)
        frames = run(loop, [PORTRAIT] * 2)
        assert frames[1][0].origin is Origin.HELD


def test_a_held_face_keeps_its_course_for_a_moment() -> None:
    looks = [[found(FACE.moved(8.0 * index, 0))] for index in range(6)]
    frames = run(follower(looks, tracker=False), [PORTRAIT] * 9)
    for index in (6, 7, 8):
        assert frames[index][0].box.padded(0.05).covers(FACE.moved(8.0 * index, 0))


def test_a_face_unseen_for_long_is_paired_from_farther_away() -> None:
    near = FACE.moved(1.3 * FACE.size, 0)
    looks = [[found(FACE)], [found(near)]]
    assert {face.track_id for face in run(follower(looks, tracker=False), [PORTRAIT] * 2)[1]} == {
        0,
        1,
    }
    looks = [[found(FACE)]] + [[]] * 20 + [[found(near)]]
    last = run(follower(looks, tracker=False), [PORTRAIT] * 22)[-1]
    assert [face.track_id for face in last] == [0]


def test_a_face_behind_another_is_held_for_a_tracker_would_follow_the_other() -> None:
    behind = FACE.moved(20, 10)
    loop = follower([[found(FACE), found(behind)], [found(FACE)], [found(FACE)]])
    frames = run(loop, [PORTRAIT] * 3)
    origins = {face.track_id: face.origin for face in frames[1]}
    assert origins == {0: Origin.DETECTED, 1: Origin.HELD}
    assert frames[2][1].box.covers(behind)


@pytest.mark.parametrize("ratio", [0.5, 0.75, 1.5])
def test_faces_are_followed_when_the_view_changes_its_size(ratio: float) -> None:
    size = round(512 * ratio), round(512 * ratio)
    looks = [[found(FACE)], [found(FACE.moved(4, 0))], [], [found(FACE.scaled(ratio, ratio))]]
    loop = follower(looks)
    first = loop.step(shifted(0), 0)
    loop.step(shifted(4), 1 / RATE)
    smaller = np.asarray(cv2.resize(shifted(8), size, interpolation=cv2.INTER_AREA), np.uint8)
    step = loop.step(smaller, 2 / RATE)
    assert [face.track_id for face in step.faces] == [first.faces[0].track_id]
    assert step.faces[0].origin is Origin.FOLLOWED
    assert step.faces[0].box.iou(FACE.moved(8, 0).scaled(ratio, ratio)) > 0.7
    step = loop.step(smaller, 3 / RATE)
    assert [face.track_id for face in step.faces] == [first.faces[0].track_id]
