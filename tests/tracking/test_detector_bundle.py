"""Target classes are tracked separately."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from tests.tracking.fakes import (
    PARAMETERS,
    RATE,
    SIZE,
    SQUARE,
    BrightDetector,
    LosingTracker,
    ScriptedClassifier,
    ScriptedDetector,
    StillTracker,
    detection,
    redetector,
    wall,
)
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks, TracksBuilder
from tracker_blur.settings import Settings
from tracker_blur.tracking import detector_bundle
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.detector_bundle import (
    ClassDetector,
    DetectorBundle,
    MultiClassBacktracker,
    MultiClassTracker,
    merge_classes,
)
from tracker_blur.tracking.online import OnlineTracker, Step
from tracker_blur.tracking.scene_cuts import Change
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.tracking.target_classes import parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.trackers import Tracker

LABELS = ("face", "plate")


class OwnDetector(BrightDetector):
    """As a caller may give it."""

    name = "own"

    def __init__(self, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.labels = labels


def test_a_bundle_names_all_its_detectors() -> None:
    bundle = DetectorBundle.of(Settings(detector="haar", hide=("faces", "plates")))
    assert bundle.name == "haar, plate.onnx"
    assert set(bundle.weight_files) >= {"plate.onnx", "verify.onnx"}
    assert bundle.confidence == min(detector.confidence for detector in bundle.detectors)


def test_each_class_has_its_own_parameters() -> None:
    bundle = DetectorBundle.of(Settings(detector="haar", hide=("faces", "plates")))
    faces, plates = bundle.detectors
    assert faces.parameters == Settings().tracking
    assert plates.parameters == parameters_of("plate", Settings().tracking)


@pytest.mark.parametrize(
    ("labels", "is_judged"),
    [(("face",), [False, True]), (("plate",), [True, False]), (LABELS, [False, False])],
)
def test_what_a_callers_own_detector_returns_counts_whatever_a_classifier_says(
    labels: tuple[str, ...], is_judged: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    never = ScriptedClassifier(-9)
    monkeypatch.setattr(detector_bundle, "load_classifier", lambda label, weights: never)
    settings = Settings(hide=("faces", "plates"))
    faces, plates = DetectorBundle.of(settings, OwnDetector(labels)).detectors
    assert [one.classifier is never for one in (faces, plates)] == is_judged
    assert bool(faces.extra_looks) == is_judged[0]
    assert is_judged[0] or faces.others == ()


def plate_detector(
    detector: ScriptedDetector, new_tracker: Callable[[], Tracker] | None = StillTracker
) -> ClassDetector:
    parameters = parameters_of("plate", PARAMETERS)
    return ClassDetector("plate", detector, redetector, 0.4, new_tracker, parameters)


def detection_frames(tracker: OnlineTracker, rate: float, count: int = 12) -> list[int]:
    steps = [tracker.step(wall(), index / rate) for index in range(count)]
    return [index for index, step in enumerate(steps) if step.is_detection_frame]


@pytest.mark.parametrize(
    ("every", "rate", "expected"),
    [
        (2, 25.0, [0, 1, 2, 5, 8, 11]),  # the first three begin a scene
        ("auto", 25.0, [0, 1, 2, 5, 8, 11]),
        (5, 25.0, [0, 1, 2, 7]),
        (2, 20.0, [0, 1, 2, 4, 6, 8, 10]),  # no longer than 0.12 seconds
        (2, 8.0, list(range(12))),
        (1, 25.0, list(range(12))),
    ],
)
def test_in_a_first_pass_plates_are_detected_on_every_third_frame(
    every: int | Literal["auto"], rate: float, expected: list[int]
) -> None:
    plates = plate_detector(ScriptedDetector([]))
    tracker = plates.online_tracker(every, rate, 0.15, is_first_pass=True, skip_frames=True)
    assert detection_frames(tracker, rate) == expected
    live = plates.online_tracker(1, rate, 1.0)
    assert detection_frames(live, rate) == list(range(12))


def test_without_trackers_the_detector_runs_on_every_frame() -> None:
    plates = plate_detector(ScriptedDetector([]), None)
    tracker = plates.online_tracker(3, 25.0, 0.15, is_first_pass=True)
    assert detection_frames(tracker, 25.0) == list(range(12))


PLATE = Box.from_xywh(60, 80, 50, 16)


@pytest.mark.parametrize(
    ("scores", "first_hidden"),
    [
        ([0.65], 0),  # sure: at once
        ([0.5], None),  # seen once, weakly
        ([0.5, 0.0, 0.5], None),
        ([0.5, 0.35], 1),
        ([0.42, 0.42], None),
        ([0.42, 0.42, 0.46], 2),
    ],
)
def test_a_first_pass_believes_a_weak_plate_when_it_is_seen_again(
    scores: list[float], first_hidden: int | None
) -> None:
    script = [[detection(PLATE, score)] if score else [] for score in scores]
    tracker = plate_detector(ScriptedDetector(script)).online_tracker(
        1, 25.0, 0.15, is_first_pass=True
    )
    steps = [tracker.step(wall(), index / 25) for index in range(len(scores))]
    hidden = [index for index, step in enumerate(steps) if step.faces]
    assert hidden == ([] if first_hidden is None else list(range(first_hidden, len(scores))))


def test_live_hides_a_weak_plate_at_once() -> None:
    tracker = plate_detector(ScriptedDetector([[detection(PLATE, 0.45)]])).online_tracker(
        1, 25.0, 1.0
    )
    assert [face.box for face in tracker.step(wall(), 0.0).faces] == [PLATE]


def test_a_plate_that_passes_fast_is_one_track() -> None:
    """It moves by almost its width between two detection frames: 1.7 sizes."""
    script = [[detection(PLATE.moved(48.0 * index, 0), 0.7)] for index in range(4)]
    tracker = plate_detector(ScriptedDetector(script)).online_tracker(
        1, 25 / 3, 0.15, is_first_pass=True
    )
    steps = [tracker.step(wall(), index * 3 / 25) for index in range(4)]
    assert {face.track_id for step in steps for face in step.faces} == {0}


def test_in_a_first_pass_a_missed_plate_is_not_tracked_but_interpolated() -> None:
    script = [[detection(PLATE, 0.7)]]
    tracker = plate_detector(ScriptedDetector(script)).online_tracker(
        1, 25.0, 0.15, is_first_pass=True
    )
    origins = [tracker.step(wall(), index / 25).faces[0].origin for index in range(3)]
    assert origins == [Origin.DETECTED, Origin.HELD, Origin.HELD]


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


def test_tracks_of_all_classes_are_renumbered() -> None:
    parts = []
    for label, count in (("face", 2), ("plate", 1)):
        builder = TracksBuilder()
        for number in range(count):
            builder.add(3, Face(number, SQUARE, 0.9, Origin.DETECTED))
        times = np.arange(5, dtype=np.int64)
        parts.append((label, Tracks(SIZE, Fraction(1, 25), times, (2,), builder.tracks())))
    whole = merge_classes(parts)
    assert [(track.track_id, track.label) for track in whole.tracks] == [
        (0, "face"),
        (1, "face"),
        (2, "plate"),
    ]
    assert (whole.size, whole.cuts, whole.frame_count) == (SIZE, (2,), 5)
