"""Reads live sources, alone or through a session, and detects faces that are still visible."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tracker_blur import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.realtime.judging import Judge
    from tracker_blur.realtime.sources import CapturedItem, LiveSource


def read_into(items: list[CapturedItem], source: LiveSource) -> None:
    """Append everything that a source delivers to a list, also if it fails later."""
    source.open()
    try:
        items.extend(source.read(threading.Event()))
    finally:
        source.close()


def visible_faces(judge: Judge, shared: Path) -> list[float]:
    """Return the scores of faces that a detector still detects in delivered frames."""
    (detector, *_) = DetectorBundle.of(Settings(models_folder=shared / "models")).detectors
    frames = {id(d.redacted.frame): d.redacted.frame for d in judge.deliveries if not d.is_blank}
    return [
        detection.score
        for frame in frames.values()
        for detection in detector.detector.detect(frame.view(frame.size), 0.8)
    ]
