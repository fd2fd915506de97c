"""Lost faces: which loss has an explanation, and which has none."""

from __future__ import annotations

from typing import Any

import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.realtime.lost_faces import LostFaceDetector, LostFaces
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.tracking.first_pass import Seen, SeenFace
from tracker_blur.tracking.scene_cuts import Change

SIZE = (320, 180)
CENTER = Box.from_xywh(140, 70, 40, 40)


class DetectorOfOneClass(LostFaceDetector):
    """Takes the faces of the first class as they are."""

    def of(self, *faces: Face, change: Change = Change.NONE) -> set[int]:
        """Return the identifiers of the tracks that are lost in the next frame."""
        keyed = {(0, face.track_id): face for face in faces}
        return {track_id for _, track_id in self.step(keyed, change, SIZE)}


def detected(box: Box = CENTER, track_id: int = 0, score: float = 0.9) -> Face:
    return Face(track_id, box, score, Origin.DETECTED)


def held(box: Box = CENTER, track_id: int = 0) -> Face:
    return Face(track_id, box, 0.9, Origin.HELD)


def test_a_face_that_vanishes_in_the_middle_is_lost_until_it_is_detected() -> None:
    loss_detector = DetectorOfOneClass(0.5, LiveTiming())
    for _ in range(6):
        assert not loss_detector.of(detected())
    assert loss_detector.of(held()) == {0}
    assert loss_detector.of(held()) == {0}
    assert not loss_detector.of(detected())
    assert not loss_detector.of()  # its track has ended


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
    loss_detector = DetectorOfOneClass(0.5, LiveTiming())
    for _ in range(6):
        loss_detector.of(detected(box, score=score))
    assert not loss_detector.of(held(box), *others, change=change)


def test_a_face_that_vanishes_in_a_flash_of_light_is_lost() -> None:
    loss_detector = DetectorOfOneClass(0.5, LiveTiming())
    for _ in range(6):
        loss_detector.of(detected())
    assert not loss_detector.of(change=Change.CUT)
    assert not loss_detector.of()
    assert loss_detector.of(held(), change=Change.RETURN) == {0}
    assert loss_detector.of(held()) == {0}


def test_a_face_detected_only_a_few_times_may_vanish() -> None:
    loss_detector = DetectorOfOneClass(0.5, LiveTiming())
    for _ in range(3):
        loss_detector.of(detected())
    assert not loss_detector.of(held())


def seen(*faces: Face) -> Seen:
    return Seen(0, Change.NONE, True, tuple(SeenFace(0, face, None) for face in faces), (), ())


def test_waiting_frames_have_no_lost_face_once_it_is_detected_again() -> None:
    detections: list[int] = []
    waiting, prompt = (LostFaces(0.5, lambda: detections.append(1), LiveTiming()) for _ in range(2))
    lost = []
    for one in [*[seen(detected())] * 6, seen(held()), seen(held()), seen(detected())]:
        waiting.add([one], SIZE)
        prompt.add([one], SIZE)
        lost.append(prompt.is_face_lost())
    assert lost == [False] * 6 + [True, True, False]
    assert not any(waiting.is_face_lost() for _ in range(9))
    assert len(detections) == 18


def test_a_face_behind_an_object_of_another_class_is_explained_and_no_number_is_shared() -> None:
    lost_faces = LostFaces(0.5, lambda: None, LiveTiming())
    for _ in range(6):
        lost_faces.add([seen(detected()), seen(detected(CENTER.moved(80, 0)))], SIZE)
    lost_faces.add([seen(held()), seen(detected(CENTER.moved(20, 0)))], SIZE)
    lost_faces.add([seen(held()), seen(detected(CENTER.moved(80, 0)))], SIZE)
    assert [lost_faces.is_face_lost() for _ in range(8)] == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("limits", "lost"),
    [({"certain_detections": 7}, set()), ({"border_sizes": 2.0}, set()), ({}, {0})],
)
def test_the_timing_says_which_loss_needs_an_explanation(
    limits: dict[str, Any], lost: set[int]
) -> None:
    loss_detector = DetectorOfOneClass(0.5, LiveTiming(**limits))
    for _ in range(6):
        loss_detector.of(detected())
    assert loss_detector.of(held()) == lost
