"""A file played at its own speed, as if it came live (`--realtime`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer

from tracker_blur.live.live_settings import LiveSettings
from tracker_blur.live.sources import Item
from tracker_blur.live.sources._pacing import paced
from tracker_blur.live.sources._streams import Streams
from tracker_blur.media.input import open_input


def make(text: str, live: LiveSettings) -> File:
    """Return the source."""
    return File(text)


class File:
    """Gives each picture when its time has come; ends where the file ends."""

    ends = True

    def __init__(self, text: str) -> None:
        self.name = text
        self.rate: Fraction | None = None
        self.has_sound = False
        self._container: InputContainer | None = None
        self._streams: Streams | None = None

    def open(self) -> None:
        """Open the file."""
        self._container = open_input(Path(self.name))
        try:
            self._streams = Streams(self._container, self.name)
        except BaseException:
            self.close()
            raise
        self.rate, self.has_sound = self._streams.rate, self._streams.has_sound

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what the file holds, each when it is due."""
        assert self._streams is not None
        yield from paced(self._streams.read(stopping), stopping)

    def close(self) -> None:
        """Close the file."""
        container, self._container, self._streams = self._container, None, None
        if container is not None:
            container.close()

    def abort(self) -> None:
        """Do nothing: waiting ends when stopping is set."""
