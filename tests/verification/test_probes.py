"""Who looks, how closely, and which finds are one face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.verify_cases import own_weights_only, read_truth
from tracker_blur.core.box import Box
from tracker_blur.settings import Settings
from tracker_blur.verification.probes import ProbeDetection, probes, without_doubles
from tracker_blur.weights.store import Weights

BOX = Box(10, 10, 50, 60)

PROBES = "tracker_blur.verification.probes"


def test_a_plate_and_a_face_in_one_place_do_not_agree() -> None:
    box = Box(10, 10, 50, 50)
    face, plate = (
        ProbeDetection(box, 0.4, "yunet"),
        ProbeDetection(box, 0.45, "plate.onnx", label="plate"),
    )
    assert without_doubles([face, plate]) == [plate, face]


def test_plates_are_looked_for_where_they_are_hidden() -> None:
    names = [looker.name for looker in probes(Settings(hide=("faces", "plates")), Weights())]
    assert names[-1] == "plate.onnx"
    (only,) = probes(Settings(hide=("plates",)), Weights())
    assert (only.name, only.label) == ("plate.onnx", "plate")


@pytest.mark.parametrize(
    ("here", "names"),
    [
        ("", ["haar"]),
        ("onnx", ["onnx"]),
        ("ssd onnx", ["onnx", "ssd"]),
        ("centerface onnx", ["onnx", "centerface"]),
        ("yunet onnx", ["yunet"]),
        ("ssd centerface yunet onnx", ["yunet", "centerface"]),
    ],
)
def test_all_networks_look_that_add_something_and_haar_without_any(
    here: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{PROBES}._is_here", lambda name, weights: name in here.split())
    monkeypatch.setattr(f"{PROBES}.load_detector", lambda name, weights: (name, None))
    assert [looker.name for looker in probes(Settings(), Weights())] == names


def test_our_own_weights_are_always_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own_weights_only(monkeypatch, tmp_path)
    assert [looker.name for looker in probes(Settings(), Weights())] == ["onnx"]


def test_a_looker_finds_faces_in_an_enlarged_part(shared: Path) -> None:
    (looker, *_) = probes(Settings(), Weights(shared / "models"))
    capture = cv2.VideoCapture(str(shared / "videos" / "walkers_1080p.mp4"))
    _, image = capture.read()
    capture.release()
    truth = read_truth(shared / "videos" / "walkers_1080p.csv", 1)
    smallest = min((box for _, box in truth[0]), key=lambda box: box.size)
    finds = looker.detect_multiscale(np.asarray(image, np.uint8), smallest.moved(5, 5))
    assert any(find.box.iou(smallest) > 0.4 for find in finds)
    assert looker.detect_multiscale(np.asarray(image, np.uint8), Box(-500, 0, -400, 100)) == []


def test_one_face_is_found_once_and_detectors_may_agree() -> None:
    first, second = (
        ProbeDetection(BOX, 0.4, "yunet"),
        ProbeDetection(BOX.moved(2, 2), 0.35, "centerface"),
    )
    far = ProbeDetection(BOX.moved(200, 0), 0.5, "yunet")
    again = ProbeDetection(BOX.moved(201, 0), 0.4, "yunet")
    kept = without_doubles([second, again, first, far])
    assert [(find.score, find.is_agreed) for find in kept] == [(0.5, False), (0.4, True)]
