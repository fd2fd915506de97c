"""Wrong arguments of the library's functions, each an error of ours."""

# mypy: disable-error-code="arg-type, call-overload, list-item"
# What mypy would refuse is the point of each call.

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tracker_blur
from tests.detectors.face_images import portrait
from tracker_blur import Redactor, Settings, TrackerBlurError

SETTINGS = Settings(detector="onnx")
TRACKS = tracker_blur.Tracks((64, 48), Fraction(1, 25), np.arange(3))
WRONG: dict[str, Any] = {
    "settings": lambda: Redactor({"method": "solid"}),
    "detector": lambda: Redactor(detector="yunet"),
    "image": lambda: Redactor(SETTINGS).detect(3),
    "boxes": lambda: Redactor(SETTINGS).hide(portrait(), None),
    "channels": lambda: Redactor(SETTINGS).redact(portrait(), channels=3),
    "rate": lambda: Redactor(SETTINGS).redact_frames([], "25"),
    "no rate": lambda: Redactor(SETTINGS).redact_frames([], 0),
    "images": lambda: Redactor(SETTINGS).redact_frames(3, 25),
    "one image": lambda: list(Redactor(SETTINGS).redact_frames("in.mp4", 25)),
    "source": lambda: Redactor(SETTINGS).track(3),
    "zero byte": lambda: Redactor(SETTINGS).track("a\0b.mp4"),
    "missing": lambda: Redactor(SETTINGS).track("none.mp4"),
    "tracks": lambda: Redactor(SETTINGS).render("in.mp4", 3, "out.mp4"),
    "target": lambda: Redactor(SETTINGS).redact_video("in.mp4", None),
    "progress": lambda: Redactor(SETTINGS).track("in.mp4", 3),
    "output": lambda: Redactor(SETTINGS).verify(b"out.mp4"),
    "huge rate": lambda: Redactor(SETTINGS).redact_frames([], 10**400),
    "array of channels": lambda: Redactor(SETTINGS).redact(portrait(), channels=np.empty(0)),
    "array without an axis": lambda: Redactor(SETTINGS).redact_frames(np.array(3), 25),
    "faces without an axis": lambda: tracker_blur.to_supervision(np.array(3)),
    "huge setting": lambda: Settings(factor=10**400),
    "huge live setting": lambda: tracker_blur.LiveSettings(timeout_seconds=10**400),
    "array for a choice": lambda: Settings(codec=np.empty(0)),
    "array for auto": lambda: Settings(detect_every_frames=np.empty(0)),
    "suffixes": lambda: Redactor(SETTINGS).render("in.png", "a.jsonl", "out.mp4"),
    "supervision": lambda: tracker_blur.to_supervision([3]),
    "no frame": lambda: tracker_blur.to_supervision(3, 3),
    "Settings": lambda: Settings(detector=3),
    "tiny rate": lambda: Redactor(SETTINGS).redact_frames([], 1e-300),
    "detector file": lambda: Redactor(Settings(detector="a\0.onnx")).detect(portrait()),
    "live source": lambda: tracker_blur.live(None),
    "live settings": lambda: tracker_blur.live(0, {}),
    "live warn": lambda: tracker_blur.live(0, warn=3),
    "live rate": lambda: tracker_blur.LiveSettings(rate="30"),
    "live size": lambda: tracker_blur.LiveSettings(size=3),
    "live folder": lambda: tracker_blur.LiveSettings(stills_folder=3),
    "no tracks": lambda: tracker_blur.from_supervision([], None),
    "no pairs": lambda: tracker_blur.from_supervision([3], TRACKS),
    "no detections": lambda: tracker_blur.from_supervision(None, TRACKS),
    "no faces": lambda: tracker_blur.to_supervision(None),
    "blur": lambda: tracker_blur.anonymize_face_simple(None),
    "factor": lambda: tracker_blur.anonymize_face_simple(portrait(), "3"),
    "mosaic": lambda: tracker_blur.anonymize_face_pixelate("a.jpg"),
    "blocks": lambda: tracker_blur.anonymize_face_pixelate(portrait(), 2.5),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
def test_every_wrong_input_is_an_error_of_ours_in_one_line(call: Any) -> None:
    with pytest.raises(TrackerBlurError) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 20
