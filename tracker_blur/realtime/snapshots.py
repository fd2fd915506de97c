"""Snapshots: the frames that a person asks for, saved redacted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import cv2

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format


class Snapshots:
    """A target that saves the frames that a person asks for, redacted as they left.

    Args:
        folder: Where they are saved.
        controls: Count the requests.
        warn: Called when one cannot be saved.
        inform: Called with the name of each that was saved.
        describe: Returns the message of an error.
    """

    name = "snapshots"
    is_reached = True

    def __init__(
        self,
        folder: Path,
        controls: Controls,
        warn: Callable[[str], None],
        inform: Callable[[str], None],
        describe: Callable[[TrackerBlurError], str] = str,
    ) -> None:
        self._folder = folder
        self._controls = controls
        self._warn = warn
        self._inform = inform
        self._describe = describe
        self._answered = 0  # requests

    def open(self, format: Format) -> None:
        """Do nothing."""

    def show(self, delivery: Delivery) -> None:
        """Save this frame if a snapshot was requested."""
        requested = self._controls.control_state.snapshots
        if self._answered == requested:
            return
        self._answered = requested
        frame = delivery.redacted.frame
        path = self._folder / f"trackblur_{datetime.now().astimezone():%Y%m%d_%H%M%S_%f}.png"
        try:
            with replacing(path, overwrite=False) as temporary:
                temporary.write_bytes(cv2.imencode(".png", frame.view(frame.size))[1].tobytes())
        except SinkError as error:
            self._report(f"{self._describe(error)}; its folder is set by")
        except OSError as error:
            self._report(
                f"{path}: cannot be written ({reason_of(error)}): choose another folder with"
            )
        else:
            self._inform(f"{path}: saved")

    def play(self, audio: AudioChunk) -> None:
        """Ignore audio."""

    def close(self) -> None:
        """Do nothing."""

    def _report(self, problem: str) -> None:
        self._warn(self._describe(SinkError(problem, remedy="stills_folder")))
