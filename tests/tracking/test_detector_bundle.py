"""What settings ask for is loaded, and each class has its own rules."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import pytest

from tests.detectors.face_images import portrait
from tests.detectors.heads.networks import network, yolo
from tests.tracking.fakes import (
    PARAMETERS,
    BrightDetector,
    ScriptedClassifier,
    ScriptedDetector,
    StillTracker,
    detection,
    redetector,
    wall,
)
from tests.waiting import PATIENCE_SECONDS
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin
from tracker_blur.settings import Settings
from tracker_blur.tracking import detector_bundle
from tracker_blur.tracking.detector_bundle import ClassDetector, DetectorBundle
from tracker_blur.tracking.released_detector import ReleasedDetector
from tracker_blur.tracking.target_classes import TargetClass, other_detectors, parameters_of
from tracker_blur.weights import store
from tracker_blur.weights.store import Weights, packaged_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.core.frame import Image
    from tracker_blur.trackers import Tracker
    from tracker_blur.tracking.online import OnlineTracker

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
    assert bool(faces.extra_detections) == is_judged[0]
    assert is_judged[0] or faces.others == ()


@pytest.mark.parametrize(
    ("names", "label", "is_judged"),
    [
        ({"names": "{0: 'face'}"}, "face", True),
        ({"names": "{0: 'Human Face'}"}, "face", True),
        ({"names": "{0: 'license_plate'}"}, "plate", True),
        ({"names": "{0: 'head'}"}, "head", False),
        ({"names": "{0: 'badge'}"}, "badge", False),
        ({}, "face", False),  # it may detect anything
    ],
)
def test_a_detector_file_is_judged_if_it_says_that_it_detects_faces_or_plates(
    names: dict[str, str], label: str, is_judged: bool, tmp_path: Path
) -> None:
    size = 320, 192
    path = tmp_path / "mine.onnx"
    path.write_bytes(network(yolo(size, (0, 0), 1), size, names))
    (mine,) = DetectorBundle.of(Settings(detector=str(path))).detectors
    assert mine.label == label
    assert (mine.classifier is not None) == is_judged


def large_view() -> Image:
    """Return a portrait in a view after which networks are released."""
    view: Image = np.zeros((800, 1000, 3), np.uint8)
    face = portrait()
    view[: face.shape[0], : face.shape[1]] = face
    assert max(view.shape) > PARAMETERS.view_scale.kept_px >= max(face.shape)
    return view


@pytest.mark.parametrize("end", ["replaced", "removed"])
@pytest.mark.parametrize("is_own", [False, True])
def test_weight_files_are_read_once(
    is_own: bool, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens to them neither changes nor ends a run."""
    for file in packaged_folder().glob("*.onnx"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(store, "packaged_folder", lambda: tmp_path)
    monkeypatch.setattr(store, "cache_folder", lambda: tmp_path)
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    mine = tmp_path / "mine.onnx"
    shutil.copy(tmp_path / "face.onnx", mine)
    detector = str(mine) if is_own else "onnx"
    (faces,) = DetectorBundle.of(Settings(detector=detector)).detectors
    view, score = large_view(), faces.confidence
    detectors = faces.large_view_detector, *(way.detector for way in faces.extra_detections)
    before = [detector.detect(view, score) for detector in detectors]
    assert before[0]
    for file in tmp_path.glob("*.onnx"):
        if end == "removed":
            file.unlink()
        else:
            shutil.copy(packaged_folder() / "plate.onnx", file)
    assert [detector.detect(view, score) for detector in detectors] == before
    box = before[0][0].box
    again = faces.redetector.detect(view, box)  # its networks are loaded now
    assert again is not None
    assert again.box.iou(box) > 0.5


@pytest.mark.parametrize("end", ["replaced", "removed"])
def test_another_detectors_weight_file_is_read_once(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "face.onnx"
    shutil.copy(packaged_folder() / "face.onnx", path)
    target = TargetClass("face", "any", BrightDetector, BrightDetector)
    monkeypatch.setattr(store, "packaged_folder", lambda: tmp_path)
    monkeypatch.setattr(store, "cache_folder", lambda: tmp_path)
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    (load,) = other_detectors(target, "auto", Weights())
    before = ReleasedDetector(load, 1)
    expected = before.detect(portrait(), 0.4)
    assert expected
    path.unlink() if end == "removed" else path.write_bytes(b"another one")
    assert before.detect(portrait(), 0.4) == expected


class MeetingTracker(StillTracker):
    """Waits for as many others as run in parallel, and remembers its thread."""

    def __init__(self, barrier: threading.Barrier, threads: set[int]) -> None:
        self._barrier = barrier
        self._threads = threads

    def update(self, image: Image) -> Box | None:
        self._threads.add(threading.get_ident())
        self._barrier.wait(timeout=PATIENCE_SECONDS)
        return super().update(image)


@pytest.mark.parametrize("count", [1, 3])
def test_trackers_have_as_many_threads_as_opencv(count: int) -> None:
    """A process of a batch sets OpenCV's to its share of the cores."""
    threads: set[int] = set()
    barrier = threading.Barrier(count)
    script = [[detection(Box.from_xywh(40.0 * number, 20, 20, 20)) for number in range(6)], []]
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        tracker = ClassDetector(
            "face",
            ScriptedDetector(script),
            redetector,
            0.4,
            lambda: MeetingTracker(barrier, threads),
            PARAMETERS,
        ).online_tracker(1, 25.0, 1.0)
    finally:
        cv2.setNumThreads(before)
    origins = [{face.origin for face in tracker.step(wall(), at).faces} for at in (0.0, 0.04)]
    assert origins == [{Origin.DETECTED}, {Origin.TRACKED}]
    assert len(threads) == count


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
        (2, 25.0, [0, 1, 2, 3, 6, 9]),  # the first three begin a scene
        ("auto", 25.0, [0, 1, 2, 3, 6, 9]),
        (5, 25.0, [0, 1, 2, 5, 10]),
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
        ([0.65], 0),  # high-confidence: at once
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
