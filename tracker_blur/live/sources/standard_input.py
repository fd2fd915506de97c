"""Standard input: a container of any kind, or raw frames."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.format import VideoFormat

from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.live.live_settings import LiveSettings
from tracker_blur.live.sources import Item
from tracker_blur.live.sources._streams import Streams
from tracker_blur.media.input import error_text

_DEFAULT_RATE = 30.0
_PROBE_BYTES = 500_000
_RAW = re.compile(r"(\d+)x(\d+):(\w+)")


def make(text: str, live: LiveSettings) -> StandardInput:
    """Return the source; raises SettingsError for a raw format that is none."""
    if live.raw_format is None:
        return StandardInput(None, {"probesize": str(_PROBE_BYTES)})
    match = _RAW.fullmatch(live.raw_format)
    try:
        if match is None:
            raise ValueError
        VideoFormat(match[3])
    except ValueError as error:
        raise SettingsError(
            f"raw_format is '{live.raw_format}': give WIDTHxHEIGHT:FORMAT, such as 1280x720:bgr24"
        ) from error
    options = {
        "video_size": f"{match[1]}x{match[2]}",
        "pixel_format": match[3],
        "framerate": str(live.rate or _DEFAULT_RATE),
    }
    return StandardInput("rawvideo", options)


class StandardInput:
    """Reads what another program writes; ends where that ends."""

    name = "-"
    ends = True

    def __init__(self, form: str | None, options: dict[str, str]) -> None:
        self._form = form
        self._options = options
        self.rate: Fraction | None = None
        self.has_sound = False
        self._container: InputContainer | None = None
        self._streams: Streams | None = None

    def open(self) -> None:
        """Wait for the beginning of what comes."""
        try:
            # By number, not as a file object: that would wait until its buffer is full.
            self._container = av.open(
                f"pipe:{sys.stdin.fileno()}",
                format=self._form,
                container_options={**self._options, "protocol_whitelist": "pipe,fd,file"},
                metadata_errors="replace",
            )
            self._streams = Streams(self._container, "standard input")
        except (av.FFmpegError, OSError, ValueError) as error:
            self.close()
            if isinstance(error, SourceError):
                raise
            raise SourceError(
                f"standard input: is no video ({error_text(error)}): send one that can be read as "
                "it comes (MPEG-TS, Matroska), or say what raw frames are like (--raw-format)"
            ) from error
        self.rate, self.has_sound = self._streams.rate, self._streams.has_sound

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes."""
        assert self._streams is not None
        yield from self._streams.read(stopping)

    def close(self) -> None:
        """Close it."""
        container, self._container, self._streams = self._container, None, None
        if container is not None:
            container.close()

    def abort(self) -> None:
        """Leave a wait as it is: nothing ends it but the other program."""
