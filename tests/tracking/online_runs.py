"""Online trackers with scripted detectors, and what they report of images."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.tracking.fakes import (
    PARAMETERS,
    RATE,
    ScriptedClassifier,
    ScriptedDetector,
)
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.schedule import DetectionSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.tracks import Face
    from tracker_blur.trackers import Tracker
    from tracker_blur.tracking.extra_detection import ExtraDetection
    from tracker_blur.tracking.redetection import Redetector


def online_tracker(
    detector: ScriptedDetector | Sequence[Sequence[Detection]],
    every: int = 1,
    new_tracker: Callable[[], Tracker] | None = None,
    hold_seconds: float = 1.0,
    threads: int = 1,
    parameters: TrackingParameters = PARAMETERS,
    classifier: ScriptedClassifier | None = None,
    extra_detections: Sequence[ExtraDetection] = (),
    redetector: Redetector | None = None,
    *,
    hide_all: bool = False,
) -> OnlineTracker:
    if not isinstance(detector, ScriptedDetector):
        detector = ScriptedDetector(detector)
    return OnlineTracker(
        detector,
        0.5,
        new_tracker,
        DetectionSchedule(every, RATE, parameters.schedule),
        hold_seconds,
        time.perf_counter,
        parameters,
        threads=threads,
        redetector=redetector,
        extra_detections=extra_detections,
        classifier=classifier,
        hide_all=hide_all,
    )


def run(tracker: OnlineTracker, images: Sequence[Image]) -> list[tuple[Face, ...]]:
    return [tracker.step(image, index / RATE).faces for index, image in enumerate(images)]
