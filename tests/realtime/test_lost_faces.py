"""Lost faces: which loss has an explanation, and which has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.realtime.lost_faces import LostFaceDetector, ObservedTracker
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

SIZE = (320, 180)
CENTER = Box.from_xywh(140, 70, 40, 40)


def step(*faces: Face, change: Change = Change.NONE) -> Step:
    return Step(faces, change, is_detection_frame=True)


def detected(box: Box = CENTER, track_id: int = 0, score: float = 0.9) -> Face:
    return Face(track_id, box, score, Origin.DETECTED)


def held(box: Box = CENTER, track_id: int = 0) -> Face:
    return Face(track_id, box, 0.9, Origin.HELD)


def test_a_face_that_vanishes_in_the_middle_is_lost_until_it_is_detected() -> None:
    loss_detector = LostFaceDetector(0.5, LiveTiming())
    for _ in range(6):
        assert not loss_detector.step(step(detected()), SIZE)
    assert loss_detector.step(step(held()), SIZE) == {0}
    assert loss_detector.step(step(held()), SIZE) == {0}
    assert not loss_detector.step(step(detected()), SIZE)
    assert not loss_detector.step(step(), SIZE)  # its track has ended


@pytest.mark.parametrize(
    ("score", "others", "box", "change"),
    [
        (0.4, (), CENTER, Change.NONE),  # never detected with high confidence
        (0.9, (), Box.from_xywh(5, 70, 40, 40), Change.NONE),  # left over the border
        (0.9, (detected(CENTER.moved(20, 0), 1),), CENTER, Change.NONE),  # behind another
        (0.9, (), CENTER, Change.CUT),
    ],
)
def test_an_explained_loss_is_not_reported(
    score: float, others: tuple[Face, ...], box: Box, change: Change
) -> None:
    loss_detector = LostFaceDetector(0.5, LiveTiming())
    for _ in range(6):
        loss_detector.step(step(detected(box, score=score)), SIZE)
    assert not loss_detector.step(step(held(box), *others, change=change), SIZE)


def test_a_face_stays_lost_when_the_view_changes_its_size() -> None:
    loss_detector = LostFaceDetector(0.5, LiveTiming())
    for _ in range(6):
        loss_detector.step(step(detected()), SIZE)
    assert loss_detector.step(step(held(CENTER.scaled(0.5, 0.5))), (160, 90)) == {0}
    assert loss_detector.step(step(held(CENTER.scaled(2, 2))), (640, 360)) == {0}


def test_a_face_that_vanishes_in_a_flash_of_light_is_lost() -> None:
    loss_detector = LostFaceDetector(0.5, LiveTiming())
    for _ in range(6):
        loss_detector.step(step(detected()), SIZE)
    assert not loss_detector.step(step(change=Change.CUT), SIZE)
    assert not loss_detector.step(step(), SIZE)
    assert loss_detector.step(step(held(), change=Change.RETURN), SIZE) == {0}
    assert loss_detector.step(step(held()), SIZE) == {0}


def test_a_face_detected_only_a_few_times_may_vanish() -> None:
    loss_detector = LostFaceDetector(0.5, LiveTiming())
    for _ in range(3):
        loss_detector.step(step(detected()), SIZE)
    assert not loss_detector.step(step(held()), SIZE)


def test_waiting_frames_have_no_lost_face_once_it_is_detected_again() -> None:
    class ScriptedTracker:
        def __init__(self) -> None:
            steps = [*[step(detected())] * 6, step(held()), step(held()), step(detected())]
            self.steps = iter(steps)

        def step(self, image: object, seconds: float) -> Step:
            return next(self.steps)

    image = np.zeros((180, 320, 3), np.uint8)
    detections: list[int] = []
    waiting, prompt = (
        ObservedTracker(ScriptedTracker(), 0.5, lambda: detections.append(1), LiveTiming())
        for _ in range(2)
    )
    lost = []
    for index in range(9):
        waiting.step(image, index / 25)
        prompt.step(image, index / 25)
        lost.append(prompt.is_face_lost())
    assert lost == [False] * 6 + [True, True, False]
    assert not any(waiting.is_face_lost() for _ in range(9))
    assert len(detections) == 18


@pytest.mark.parametrize(
    ("limits", "lost"),
    [({"certain_detections": 7}, set()), ({"border_sizes": 2.0}, set()), ({}, {0})],
)
def test_the_timing_says_which_loss_needs_an_explanation(
    limits: dict[str, Any], lost: set[int]
) -> None:
    loss_detector = LostFaceDetector(0.5, LiveTiming(**limits))
    for _ in range(6):
        loss_detector.step(step(detected()), SIZE)
    assert loss_detector.step(step(held()), SIZE) == lost
