"""Which detectors probe, at which scales, and which detections are one face."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.verify_cases import own_weights_only, read_truth
from tracker_blur.core.box import Box, Detection
from tracker_blur.detectors import AUTO_ORDER
from tracker_blur.settings import Settings
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.verification.probes import (
    Probe,
    ProbeDetection,
    load_probes,
    suppress_duplicates,
)
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image

BOX = Box(10, 10, 50, 60)

PROBES = "tracker_blur.verification.probes"
PARAMETERS = VerificationParameters()


def probes(settings: Settings, weights: Weights | None = None) -> tuple[Probe, ...]:
    return load_probes(settings, weights or Weights(), PARAMETERS)


def test_a_plate_and_a_face_in_one_place_do_not_agree() -> None:
    box = Box(10, 10, 50, 50)
    face, plate = (
        ProbeDetection(box, 0.4, "yunet"),
        ProbeDetection(box, 0.45, "plate.onnx", label="plate"),
    )
    assert suppress_duplicates([face, plate], PARAMETERS.duplicate_iou) == [plate, face]


def test_plates_are_probed_if_they_are_hidden() -> None:
    names = [probe.name for probe in probes(Settings(hide=("faces", "plates")))]
    assert names[-1] == "plate.onnx"
    (only,) = probes(Settings(hide=("plates",)))
    assert (only.name, only.label) == ("plate.onnx", "plate")


@pytest.mark.parametrize(
    ("available", "names"),
    [
        ("", ["haar"]),
        ("onnx", ["onnx"]),
        ("ssd onnx", ["ssd", "onnx"]),
        ("centerface onnx", ["onnx", "centerface"]),
        ("yunet onnx", ["onnx", "yunet"]),
        ("ssd centerface yunet onnx", ["onnx", "centerface", "yunet"]),
    ],
)
def test_the_run_s_detector_comes_last_and_haar_is_the_fallback(
    available: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = available.split()
    best = next((name for name in AUTO_ORDER if name in known), "haar")
    monkeypatch.setattr(f"{PROBES}._is_available", lambda name, weights: name in known)
    monkeypatch.setattr(f"{PROBES}.auto_detector", lambda weights: best)
    monkeypatch.setattr(f"{PROBES}.load_detector", lambda name, weights: (name, None))
    assert [probe.name for probe in probes(Settings())] == names


def test_a_named_detector_of_the_run_comes_last(shared: Path) -> None:
    weights = Weights(shared / "models")
    names = [probe.name for probe in probes(Settings(detector="onnx"), weights)]
    assert names == ["yunet", "centerface", "onnx"]


class CornerDetector:
    """Detects what is white."""

    default_confidence = low_confidence = 0.5

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        rows, columns = np.nonzero(image[..., 0])
        box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return [Detection(box, 0.9)]


def test_boxes_of_turned_copies_are_turned_back() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    image[20:60, 250:280] = 255
    (probe,) = (Probe("corner", CornerDetector()),)
    detections = probe.detect_turned(image, Fraction(1))
    assert [found.box for found in detections] == [Box(250, 20, 280, 60)] * 3


def test_turned_copies_are_reduced() -> None:
    image = np.zeros((400, 1280, 3), np.uint8)
    image[40:120, 800:880] = 255
    parameters = VerificationParameters(turned_view_px=320)
    for found in Probe("corner", CornerDetector(), "face", parameters).detect_turned(
        image, Fraction(1)
    ):
        assert found.box == Box(800, 40, 880, 120)


def test_our_own_weights_are_always_available(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own_weights_only(monkeypatch, tmp_path)
    assert [probe.name for probe in probes(Settings())] == ["onnx"]


def test_a_probe_detects_faces_in_an_enlarged_crop(shared: Path) -> None:
    (probe, *_) = probes(Settings(), Weights(shared / "models"))
    capture = cv2.VideoCapture(str(shared / "videos" / "walkers_1080p.mp4"))
    _, image = capture.read()
    capture.release()
    truth = read_truth(shared / "videos" / "walkers_1080p.csv", 1)
    smallest = min((box for _, box in truth[0]), key=lambda box: box.size)
    detections = probe.detect_in_crop(np.asarray(image, np.uint8), smallest.moved(5, 5))
    assert any(found.box.iou(smallest) > 0.4 for found in detections)
    assert probe.detect_in_crop(np.asarray(image, np.uint8), Box(-500, 0, -400, 100)) == []


def test_duplicates_are_suppressed_and_agreement_is_noted() -> None:
    first, second = (
        ProbeDetection(BOX, 0.4, "yunet"),
        ProbeDetection(BOX.moved(2, 2), 0.35, "centerface"),
    )
    far = ProbeDetection(BOX.moved(200, 0), 0.5, "yunet")
    again = ProbeDetection(BOX.moved(201, 0), 0.4, "yunet")
    kept = suppress_duplicates([second, again, first, far], PARAMETERS.duplicate_iou)
    assert [(found.score, found.is_agreed) for found in kept] == [(0.5, False), (0.4, True)]
