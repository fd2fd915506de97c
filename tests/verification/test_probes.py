"""Which detectors probe, at which scales, and which detections are one face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.verify_cases import own_weights_only, read_truth
from tracker_blur.core.box import Box
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
        ("ssd onnx", ["onnx", "ssd"]),
        ("centerface onnx", ["onnx", "centerface"]),
        ("yunet onnx", ["yunet"]),
        ("ssd centerface yunet onnx", ["yunet", "centerface"]),
    ],
)
def test_redundant_networks_are_left_out_and_haar_is_the_fallback(
    available: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{PROBES}._is_available", lambda name, weights: name in available.split())
    monkeypatch.setattr(f"{PROBES}.load_detector", lambda name, weights: (name, None))
    assert [probe.name for probe in probes(Settings())] == names


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
