"""A camera of this machine (OpenCV)."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tracker_blur.errors import SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedFrame, Item

_PROBED_NUMBERS = 10  # where the system does not tell which cameras there are
_MOST_MISSED_FRAMES = 3  # in a row: the camera has gone


def make(text: str, live: LiveSettings) -> Camera:
    """Return the source."""
    return Camera(text, live)


def cameras() -> list[str]:
    """Return the cameras of this machine, a line each: number or device, and name if known."""
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
    found = []
    for number in range(_PROBED_NUMBERS):
        with _quiet():
            capture = cv2.VideoCapture(number)
        if capture.isOpened():
            found.append(f"{number}: {capture.getBackendName()}")
        capture.release()
    return found


class Camera:
    """Gives the frames of a camera, which is opened anew when it has gone."""

    ends = False
    has_sound = False

    def __init__(self, text: str, live: LiveSettings) -> None:
        self.name = text
        self._live = live
        self.rate: Fraction | None = None
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Switch it on, at the size and rate that are nearest to those asked for."""
        with _quiet():
            capture = cv2.VideoCapture(int(self.name) if self.name.isdigit() else self.name)
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"camera {self.name}: cannot be opened: see 'trackblur live --list-cameras', and "
                "whether another program uses it"
            )
        self._capture = capture
        if self._live.size is not None:
            # Most cameras send raw pictures slowly, and compressed ones at their full rate.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._live.size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._live.size[1])
        if self._live.rate is not None:
            capture.set(cv2.CAP_PROP_FPS, self._live.rate)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.rate = Fraction(rate).limit_denominator(1001) if 1 <= rate <= 240 else None

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give frames as the camera takes them."""
        assert self._capture is not None
        missed = 0
        while not stopping.is_set():
            with _quiet():
                is_there, image = self._capture.read()
            if is_there and image is not None and image.size:
                missed = 0
                yield CapturedFrame(
                    av.VideoFrame.from_ndarray(image.astype(np.uint8, copy=False), "bgr24"), None
                )
                continue
            missed += 1
            if missed == _MOST_MISSED_FRAMES:
                raise SourceError(f"camera {self.name}: gives no more pictures")

    def close(self) -> None:
        """Switch it off."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def abort(self) -> None:
        """Leave a wait to the driver's own time-out."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what OpenCV mutters: our own errors say it."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read when it opens its first device
    logging = cv2.utils.logging
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)
