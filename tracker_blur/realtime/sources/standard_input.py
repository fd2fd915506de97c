"""Standard input: a container of any format, or raw frames, from another program or a file."""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import TYPE_CHECKING

import av
from av.video.format import VideoFormat

from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.realtime.sources._container import (
    PIPE_FORMATS,
    PROBE_BYTES,
    ContainerSource,
    paced,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from av.container import InputContainer

    from tracker_blur.realtime.settings import LiveSettings, LiveTiming
    from tracker_blur.realtime.sources import CapturedItem

_RAW_FORMAT = re.compile(r"(\d+)x(\d+):(\w+)", re.ASCII)


def make(text: str, settings: LiveSettings) -> StandardInputSource:
    """Return the source; raises SettingsError for an invalid raw format or a closed input."""
    if sys.stdin is None:
        raise SettingsError(
            "standard input is closed: pipe a video into it, or name another source"
        )
    if settings.raw_format is None:
        options = {"probesize": str(PROBE_BYTES), "format_whitelist": PIPE_FORMATS}
        return StandardInputSource(None, options, settings.timing)
    match = _RAW_FORMAT.fullmatch(settings.raw_format)
    try:
        if match is None or not int(match[1]) * int(match[2]):
            raise ValueError
        VideoFormat(match[3])
    except ValueError as error:
        raise SettingsError(
            f"is '{settings.raw_format}': give WIDTHxHEIGHT:FORMAT, such as 1280x720:bgr24",
            setting="raw_format",
        ) from error
    options = {
        "video_size": f"{match[1]}x{match[2]}",
        "pixel_format": match[3],
        "framerate": str(settings.rate),
    }
    return StandardInputSource("rawvideo", options, settings.timing)


class StandardInputSource(ContainerSource):
    """Reads a pipe as data arrives, or plays a file at its own speed; ends where the input ends.

    Args:
        demuxer: FFmpeg's name of the format; None: detect it.
        options: For the demuxer.
        timing: Timing of a file that is played.
    """

    is_finite = True
    _is_file = False

    def __init__(self, demuxer: str | None, options: dict[str, str], timing: LiveTiming) -> None:
        super().__init__("standard input")
        self._demuxer = demuxer
        self._options = options
        self._timing = timing

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield frames and audio as they arrive, or, from a file, when they are due."""
        items = self._checked(super().read(stopping), stopping)
        yield from paced(items, stopping, self._timing) if self._is_file else items

    def _checked(
        self, items: Iterator[CapturedItem], stopping: threading.Event
    ) -> Iterator[CapturedItem]:
        """Yield the items; explain an MP4 that cannot be read from a pipe."""
        assert self._container is not None
        is_mp4 = "mp4" in self._container.format.name.split(",")
        is_empty = True
        try:
            for item in items:
                is_empty = False
                yield item
        except SourceError:
            if not (is_empty and is_mp4):
                raise
        if is_mp4 and is_empty and not stopping.is_set():
            raise SourceError(
                f"{self.name}: ended before a complete frame arrived: to pipe an MP4 or MOV, move "
                "its index to the front (ffmpeg -i IN -c copy -movflags +faststart OUT), or name "
                "the file and add --realtime"
            )

    def _open_container(self) -> InputContainer:
        # By descriptor: a file object would block until its buffer is full.
        descriptor = sys.stdin.fileno()
        self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return av.open(
            "fd:",  # unlike "pipe:" it can seek in a file
            format=self._demuxer,
            container_options={**self._options, "fd": str(descriptor), "protocol_whitelist": "fd"},
            metadata_errors="replace",
        )

    def _open_error(self, error: Exception) -> str:
        if self._demuxer is not None:
            return (
                f"{self.name}: frames of this size and format cannot be read "
                f"({reason_of(error)}): correct --raw-format"
            )
        return (
            f"{self.name}: is not a video ({reason_of(error)}): send a format that can be streamed "
            "(MPEG-TS, Matroska), or describe raw frames (--raw-format)"
        )
