"""What all sources do alike whose pictures and sound come in a container."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer

from tracker_blur.errors import SourceError
from tracker_blur.realtime.sources import Item
from tracker_blur.realtime.sources._streams import Streams


class Contained(ABC):
    """A source that is opened by PyAV; see `Source`.

    name  as the user wrote it, without secrets
    """

    ends = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.rate: Fraction | None = None
        self.has_sound = False
        self._container: InputContainer | None = None
        self._streams: Streams | None = None

    def open(self) -> None:
        """Open it; raises SourceError when that fails, or it holds no pictures."""
        try:
            self._container = self._opened()
            self._streams = Streams(self._container, self.name)
        except SourceError:
            self.close()
            raise
        except (av.FFmpegError, OSError, ValueError) as error:
            explanation = self._explained(error)
            self.close()
            raise SourceError(explanation) from error
        self.rate, self.has_sound = self._streams.rate, self._streams.has_sound

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes."""
        assert self._streams is not None
        yield from self._streams.read(stopping)

    def close(self) -> None:
        """Let go of it."""
        container, self._container, self._streams = self._container, None, None
        if container is not None:
            container.close()

    def abort(self) -> None:  # noqa: B027  # for most there is nothing to do
        """Leave a wait to its own time-out: FFmpeg offers no other end."""

    @abstractmethod
    def _opened(self) -> InputContainer:
        """Return its container."""

    @abstractmethod
    def _explained(self, error: Exception) -> str:
        """Return one line on why it cannot be opened."""
