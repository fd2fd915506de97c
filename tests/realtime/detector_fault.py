"""Faults of the detector, for tests of whole sessions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tracker_blur.detectors import yunet
from tracker_blur.realtime.settings import LiveSettings

if TYPE_CHECKING:
    import pytest

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image

PATIENT = LiveSettings(watchdog_seconds=60)
"""On a busy machine, detection is late and blanks frames; with this it does not."""


class DetectorFault(ABC):
    """Calls `strike` before each detection on a whole frame; detections are the real detector's.

    Attributes:
        detections: Detections on whole frames so far.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.detections = 0
        real = yunet.YuNet.detect
        fault = self

        def detect(detector: yunet.YuNet, image: Image, confidence: float) -> list[Detection]:
            if image.shape[0] != image.shape[1]:  # a whole frame, not a re-detection in a crop
                fault.detections += 1
                fault.strike()
            return real(detector, image, confidence)

        monkeypatch.setattr(yunet.YuNet, "detect", detect)

    @abstractmethod
    def strike(self) -> None:
        """Cause the fault: wait, or raise."""
