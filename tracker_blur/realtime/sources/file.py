"""A file played at its own speed, as if it came live (`--realtime`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from av.container import InputContainer

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import Item
from tracker_blur.realtime.sources._container import Contained, paced
from tracker_blur.video.integrity import missing_bytes
from tracker_blur.video.reader import open_input


def make(text: str, live: LiveSettings) -> File:
    """Return the source."""
    return File(text)


class File(Contained):
    """Gives each picture when its time has come; ends where the file ends."""

    ends = True
    _missing_bytes = 0

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what the file holds, each when it is due."""
        yield from paced(super().read(stopping), stopping)
        if self._missing_bytes and not stopping.is_set():
            raise SourceError(
                f"{self.name}: breaks off, {self._missing_bytes} bytes are missing: get the whole "
                "file"
            )

    def _opened(self) -> InputContainer:
        container = open_input(Path(self.name))
        self._missing_bytes = missing_bytes(Path(self.name))
        return container

    def _explained(self, error: Exception) -> str:
        return f"{self.name}: is no video that can be read ({reason_of(error)})"
