"""The analyzer: the size of its view, lost faces, and the age of its last detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.realtime import analyzer as analyzer_module
from tracker_blur.realtime.analyzer import (
    AdaptiveViewSize,
    Analyzer,
    LostFaceDetector,
    ObservedTracker,
)
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.handoff import Latest
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = (320, 180)
CENTER = Box.from_xywh(140, 70, 40, 40)


def step(*faces: Face, change: Change = Change.NONE) -> Step:
    return Step(faces, change, is_detection_frame=True)


def detected(box: Box = CENTER, track_id: int = 0, score: float = 0.9) -> Face:
    return Face(track_id, box, score, Origin.DETECTED)


def held(box: Box = CENTER, track_id: int = 0) -> Face:
    return Face(track_id, box, 0.9, Origin.HELD)


def test_a_face_that_vanishes_in_the_middle_is_lost_until_it_is_detected() -> None:
    loss_detector = LostFaceDetector(0.5)
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
    loss_detector = LostFaceDetector(0.5)
    for _ in range(6):
        loss_detector.step(step(detected(box, score=score)), SIZE)
    assert not loss_detector.step(step(held(box), *others, change=change), SIZE)


def test_a_face_stays_lost_when_the_view_changes_its_size() -> None:
    loss_detector = LostFaceDetector(0.5)
    for _ in range(6):
        loss_detector.step(step(detected()), SIZE)
    assert loss_detector.step(step(held(CENTER.scaled(0.5, 0.5))), (160, 90)) == {0}
    assert loss_detector.step(step(held(CENTER.scaled(2, 2))), (640, 360)) == {0}


def test_a_face_that_vanishes_in_a_flash_of_light_is_lost() -> None:
    loss_detector = LostFaceDetector(0.5)
    for _ in range(6):
        loss_detector.step(step(detected()), SIZE)
    assert not loss_detector.step(step(change=Change.CUT), SIZE)
    assert not loss_detector.step(step(), SIZE)
    assert loss_detector.step(step(held(), change=Change.RETURN), SIZE) == {0}
    assert loss_detector.step(step(held()), SIZE) == {0}


def test_a_face_detected_only_a_few_times_may_vanish() -> None:
    loss_detector = LostFaceDetector(0.5)
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
        ObservedTracker(ScriptedTracker(), 0.5, lambda: detections.append(1)) for _ in range(2)
    )
    lost = []
    for index in range(9):
        waiting.step(image, index / 25)
        prompt.step(image, index / 25)
        lost.append(prompt.is_face_lost())
    assert lost == [False] * 6 + [True, True, False]
    assert not any(waiting.is_face_lost() for _ in range(9))
    assert len(detections) == 18


def test_the_view_shrinks_under_load_and_grows_again() -> None:
    view = AdaptiveViewSize(640, 0.04, LiveTiming())
    for _ in range(200):
        view.add_frame(0.1)
    assert view.view_px == 320
    for _ in range(200):
        view.add_frame(0.001)
    assert view.view_px == 640
    for _ in range(200):
        view.add_frame(0.03)
    assert view.view_px == 640


def test_a_detection_that_is_reset_meanwhile_has_an_age_or_none() -> None:
    class ResettingAnalyzer(Analyzer):
        """Fails in another thread just after it was asked for its last detection."""

        answers: tuple[float | None, ...] = (3.0,)

        @property
        def _last_detection(self) -> float | None:
            answer, *rest = self.answers or (None,)
            self.answers = tuple(rest)
            return answer

        @_last_detection.setter
        def _last_detection(self, seconds: float | None) -> None:
            pass

    detectors = cast("DetectorBundle", None)  # nothing is detected here
    analyzer = ResettingAnalyzer(
        Settings(), detectors, Controls(["solid"]), Latest(), print, LiveTiming()
    )
    assert analyzer.detection_age(5.0) == 2.0
    assert analyzer.detection_age(5.0) is None


@pytest.mark.parametrize(("delay_seconds", "most"), [(1.0, 7), (0.0, 0)])
def test_as_many_frames_wait_as_in_one_pass(
    delay_seconds: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[int] = []

    def record(*arguments: Any, **_: Any) -> Iterator[Any]:
        waiting.append(arguments[4])
        return iter(())

    monkeypatch.setattr(analyzer_module, "look_ahead", record)
    settings = Settings(
        detector="haar",
        one_pass=True,
        delay_seconds=delay_seconds,
        tracking=TrackingParameters(max_delay_frames=7),
    )
    detectors = DetectorBundle.of(settings)
    analyzer = Analyzer(settings, detectors, Controls(["solid"]), Latest(), print, LiveTiming())
    analyzer._analyze()
    assert waiting == [most]
