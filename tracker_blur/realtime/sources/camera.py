"""A camera of this machine (OpenCV)."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.realtime.sources import CapturedFrame, CapturedItem
from tracker_blur.realtime.sources._container import MAX_RATE, MIN_RATE

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from tracker_blur.realtime.settings import LiveSettings

_MAX_MISSED_FRAMES = 3  # in a row; after that many the camera is unplugged
_MAX_DIGITS = 2  # OpenCV reads hundreds as the number of a driver: 200 is camera 0
_PROBED_NUMBERS = 10  # tried where the system has no list of its cameras


def make(text: str, settings: LiveSettings) -> CameraSource:
    """Return the source; raises SettingsError for a number that is no camera's."""
    if text.isdecimal() and len(text) > _MAX_DIGITS:
        raise SettingsError(
            f"{text}: cameras have at most {_MAX_DIGITS} digits: see --list-cameras, or name the "
            "device (/dev/video...)"
        )
    return CameraSource(text, settings)


def list_cameras() -> list[str]:
    """Return one line for each camera of this machine: its number, and its name if known."""
    if sys.platform == "linux":
        devices = sorted(
            Path("/sys/class/video4linux").glob("video*"),
            key=lambda device: int(re.sub(r"\D", "", device.name) or 0),
        )
        return [
            f"{device.name.removeprefix('video')}: {(device / 'name').read_text().strip()} "
            f"(/dev/{device.name})"
            for device in devices
        ]
    lines = []
    for number in range(_PROBED_NUMBERS):
        with _quiet_opencv():
            capture = cv2.VideoCapture(number)
        if capture.isOpened():
            lines.append(f"{number}: {capture.getBackendName()}")
        capture.release()
    return lines


class CameraSource:
    """Delivers a camera's frames; the camera is opened again when it was unplugged."""

    is_finite = False
    has_audio = False

    def __init__(self, device: str, settings: LiveSettings) -> None:
        self.name = f"camera {device}"
        self._device = device
        self._settings = settings
        self.rate: Fraction | None = None
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Open the camera at the supported size and rate nearest to the requested ones."""
        device = self._device
        with _quiet_opencv():
            capture = cv2.VideoCapture(int(device) if device.isdecimal() else device)
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"{self.name}: cannot be opened: see 'trackblur live --list-cameras', and "
                "check that no other program uses it"
            )
        self._capture = capture
        if self._settings.size is not None:
            # Most cameras reach their full rate with compressed frames only.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._settings.size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._settings.size[1])
        if self._settings.rate is not None:
            capture.set(cv2.CAP_PROP_FPS, self._settings.rate)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        rate = capture.get(cv2.CAP_PROP_FPS)
        is_plausible = MIN_RATE <= rate <= MAX_RATE
        self.rate = Fraction(rate).limit_denominator(1001) if is_plausible else None

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield frames as the camera takes them."""
        assert self._capture is not None
        missed = 0
        while not stopping.is_set():
            with _quiet_opencv():
                is_read, image = self._capture.read()
            if is_read and image is not None and image.size:
                missed = 0
                yield CapturedFrame(
                    av.VideoFrame.from_ndarray(image.astype(np.uint8, copy=False), "bgr24"), None
                )
                continue
            missed += 1
            if missed == _MAX_MISSED_FRAMES:
                raise SourceError(f"{self.name}: stopped sending frames")

    def close(self) -> None:
        """Release the camera."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def abort(self) -> None:
        """Do nothing: the driver's own timeout ends a blocking read."""


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's log; our own errors say what matters."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read when the first device is opened
    logging = cv2.utils.logging
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)
