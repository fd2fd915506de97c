"""Target classes are tracked separately."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from tests.tracking.fakes import (
    PARAMETERS,
    RATE,
    SIZE,
    SQUARE,
    BrightDetector,
    LosingTracker,
    redetector,
    wall,
)
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.multi_class import (
    MultiClassBacktracker,
    MultiClassTracker,
)
from tracker_blur.tracking.online import OnlineTracker, Step
from tracker_blur.tracking.scene_cuts import Change
from tracker_blur.tracking.schedule import DetectionSchedule

if TYPE_CHECKING:
    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image

LABELS = ("face", "plate")


class DarkDetector(BrightDetector):
    """Detects what is black."""

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        return super().detect(np.asarray(255 - image, np.uint8), confidence)


def scene(bright: Box | None, dark: Box | None) -> Image:
    image = wall(bright)
    if dark is not None:
        left, top, right, bottom = dark.clipped(*SIZE).outward()
        image[top:bottom, left:right] = 0
    return image


def online_tracker(detector: BrightDetector) -> OnlineTracker:
    schedule = DetectionSchedule(1, RATE, PARAMETERS.schedule)
    return OnlineTracker(detector, 0.5, LosingTracker, schedule, 0.2, time.perf_counter, PARAMETERS)


def backtrackers(detector: BrightDetector) -> MultiClassBacktracker:
    return MultiClassBacktracker(
        [
            (label, Backtracker(LosingTracker, redetector(detector), RATE, PARAMETERS))
            for label in LABELS
        ]
    )


def test_two_classes_in_one_place_stay_two() -> None:
    trackers = MultiClassTracker(
        [
            ("face", online_tracker(BrightDetector())),
            ("plate", online_tracker(DarkDetector())),
        ]
    )
    backtracker = backtrackers(BrightDetector())
    seen: list[tuple[Face, ...]] = []
    new = []
    for index in range(12):  # they go through each other, the black one in front
        places = SQUARE.moved(6.0 * index, 0), SQUARE.moved(66 - 6.0 * index, 0)
        image = scene(*places)
        step = trackers.step(image, index / RATE)
        new += [face for face, _ in backtracker.step(index, image, step)]
        seen.append(step.faces)
    assert [(face.label, face.track_id) for face in new[:2]] == [("face", 0), ("plate", 1)]
    for faces in seen:
        assert all(face.label == LABELS[face.track_id % 2] for face in faces)
    plates = [face for faces in seen for face in faces if face.label == "plate"]
    assert len(plates) == 12
    assert {face.track_id for face in plates} == {1}


def test_backtracked_boxes_keep_their_label() -> None:
    backtracker = backtrackers(DarkDetector())
    image = scene(None, SQUARE)
    empty = Step((), Change.NONE, is_detection_frame=True)
    for index in range(4):
        assert list(backtracker.step(index, image, empty)) == []
    new = Face(1, SQUARE, 0.9, Origin.DETECTED, label="plate")
    step = Step((new,), Change.NONE, is_detection_frame=True)
    ((face, before),) = backtracker.step(4, image, step)
    assert face == new
    assert [(index, past.track_id, past.label) for index, _, past in before.faces] == [
        (index, 1, "plate") for index in (3, 2, 1, 0)
    ]
