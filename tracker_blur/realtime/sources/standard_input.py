"""Standard input: a container of any kind, or raw frames, from another program or a file."""

from __future__ import annotations

import os
import re
import stat
import sys
import threading
from collections.abc import Iterator

import av
from av.container import InputContainer
from av.video.format import VideoFormat

from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import Item
from tracker_blur.realtime.sources._container import Contained, paced

_PROBE_BYTES = 500_000
_RAW = re.compile(r"(\d+)x(\d+):(\w+)")


def make(text: str, live: LiveSettings) -> StandardInput:
    """Return the source; raises SettingsError for a raw format that is none, or a closed input."""
    if sys.stdin is None:
        raise SettingsError("standard input is closed: send it pictures, or name another source")
    if live.raw_format is None:
        return StandardInput(None, {"probesize": str(_PROBE_BYTES)})
    match = _RAW.fullmatch(live.raw_format)
    try:
        if match is None or not int(match[1]) * int(match[2]):
            raise ValueError
        VideoFormat(match[3])
    except ValueError as error:
        raise SettingsError(
            f"`raw_format` is '{live.raw_format}': give WIDTHxHEIGHT:FORMAT, such as 1280x720:bgr24"
        ) from error
    options = {
        "video_size": f"{match[1]}x{match[2]}",
        "pixel_format": match[3],
        "framerate": str(live.rate),
    }
    return StandardInput("rawvideo", options)


class StandardInput(Contained):
    """Reads what another program writes, as it comes, or plays a file; ends where that ends."""

    ends = True
    _is_file = False

    def __init__(self, form: str | None, options: dict[str, str]) -> None:
        super().__init__("standard input")
        self._form = form
        self._options = options

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes; what a file holds, each when it is due."""
        items = self._checked(super().read(stopping), stopping)
        yield from paced(items, stopping) if self._is_file else items

    def _checked(self, items: Iterator[Item], stopping: threading.Event) -> Iterator[Item]:
        """Give the items; tells of an MP4 of which nothing can be read as it comes."""
        assert self._container is not None
        is_mp4 = "mp4" in self._container.format.name.split(",")
        has_come = False
        try:
            for item in items:
                has_come = True
                yield item
        except SourceError:
            if has_come or not is_mp4:
                raise
        if is_mp4 and not has_come and not stopping.is_set():
            raise SourceError(
                f"{self.name}: ended before a whole picture came: an MP4 or MOV that another "
                "program sends needs its index first (ffmpeg -i IN -c copy -movflags +faststart "
                "OUT), or name the file and add --realtime"
            )

    def _opened(self) -> InputContainer:
        # By number, not as a file object: that would wait until its buffer is full.
        number = sys.stdin.fileno()
        self._is_file = stat.S_ISREG(os.fstat(number).st_mode)
        return av.open(
            "fd:",  # unlike "pipe:" it can go back in a file
            format=self._form,
            container_options={**self._options, "fd": str(number), "protocol_whitelist": "fd"},
            metadata_errors="replace",
        )

    def _explained(self, error: Exception) -> str:
        return (
            f"{self.name}: is no video ({reason_of(error)}): send one that can be read as it "
            "comes (MPEG-TS, Matroska), or say what raw frames are like (--raw-format)"
        )
