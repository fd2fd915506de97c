"""A file, played at its own speed like a live stream (`--realtime`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.realtime.sources._container import ContainerSource, paced
from tracker_blur.video.missing_bytes import missing_bytes
from tracker_blur.video.opening import open_input

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from av.container import InputContainer

    from tracker_blur.realtime.settings import LiveSettings, LiveTiming
    from tracker_blur.realtime.sources import CapturedItem


def make(text: str, settings: LiveSettings) -> FileSource:
    """Return the source."""
    return FileSource(text, settings.timing)


class FileSource(ContainerSource):
    """Delivers each frame when it is due; ends where the file ends."""

    is_finite = True
    _missing_bytes = 0

    def __init__(self, name: str, timing: LiveTiming) -> None:
        super().__init__(name)
        self._timing = timing

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield the file's frames and audio when they are due."""
        yield from paced(super().read(stopping), stopping, self._timing)
        if self._missing_bytes and not stopping.is_set():
            raise SourceError(
                f"{self.name}: is truncated ({self._missing_bytes} bytes are missing): get the "
                "complete file"
            )

    def _open_container(self) -> InputContainer:
        container = open_input(Path(self.name))
        self._missing_bytes = missing_bytes(Path(self.name))
        return container

    def _open_error(self, error: Exception) -> str:
        return f"{self.name}: is not a video that can be read ({reason_of(error)})"
