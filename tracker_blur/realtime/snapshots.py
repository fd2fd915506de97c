"""Stills: pictures that a person asks for, saved as they left, redacted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import cv2

from tracker_blur.errors import SinkError
from tracker_blur.files.atomic import replacing
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Delivery, Format, Sound


class Stills:
    """A target that keeps but the pictures that are asked for.

    folder  where they are saved
    tell    called with what kept one from being saved
    note    called with the name of each that was
    """

    name = "stills"
    is_reached = True

    def __init__(
        self,
        folder: Path,
        controls: Controls,
        tell: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._controls = controls
        self._tell = tell
        self._note = note
        self._saved = 0

    def open(self, format: Format) -> None:
        """Need nothing."""

    def show(self, delivery: Delivery) -> None:
        """Save this picture, if one is asked for, and tell of it."""
        wanted = self._controls.wishes.stills
        if self._saved == wanted:
            return
        self._saved = wanted
        frame = delivery.redacted.frame
        path = self._folder / f"trackblur_{datetime.now():%Y%m%d_%H%M%S_%f}.png"
        try:
            with replacing(path, overwrite=False) as temporary:
                temporary.write_bytes(cv2.imencode(".png", frame.view(frame.size))[1].tobytes())
        except SinkError as error:
            self._tell(f"{error} (--stills)")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            self._tell(f"{path}: cannot be written ({reason}): choose another folder (--stills)")
        else:
            self._note(f"{path}: saved")

    def play(self, sound: Sound) -> None:
        """Leave it alone."""

    def close(self) -> None:
        """Need nothing."""
