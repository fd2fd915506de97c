"""Detections as JSON: the fields of Roboflow's response."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.predictions import Prediction, Predictions

FOUND = Predictions(
    (640, 480),
    (
        Prediction(Box(10, 20, 50, 80), 0.93456, "face", 2.5),
        Prediction(Box(100, 200, 150.5, 220), 0.4, "plate"),
    ),
    ("plate", "face"),
    "onnx",
)


def test_centers_sizes_and_classes_are_written() -> None:
    plain = json.loads(json.dumps(FOUND.to_dict()))
    assert plain["image"] == {"width": 640, "height": 480}
    assert plain["predictions"][0] == {
        "x": 30.0,
        "y": 50.0,
        "width": 40.0,
        "height": 60.0,
        "confidence": 0.9346,
        "class": "face",
        "class_id": 1,
        "log_odds": 2.5,
    }
    assert plain["predictions"][1]["log_odds"] is None
    assert plain["predictions"][1]["class_id"] == 0


def test_supervision_reads_it() -> None:
    supervision = pytest.importorskip("supervision", reason="needs the extra [supervision]")
    read = supervision.Detections.from_inference(FOUND.to_dict())
    np.testing.assert_allclose(read.xyxy, [[10.0, 20.0, 50.0, 80.0], [100.0, 200.0, 150.5, 220.0]])
    np.testing.assert_allclose(read.confidence, [0.9346, 0.4])
    assert read.data["class_name"].tolist() == ["face", "plate"]
    assert read.class_id.tolist() == [1, 0]
    empty = Predictions((640, 480), (), ("face",), "onnx").to_dict()
    assert len(supervision.Detections.from_inference(empty)) == 0
