"""Standard input: a container of any kind, or raw frames."""

from __future__ import annotations

import re
import sys

import av
from av.container import InputContainer
from av.video.format import VideoFormat

from tracker_blur.errors import SettingsError
from tracker_blur.media.input import error_text
from tracker_blur.realtime.live_settings import LiveSettings
from tracker_blur.realtime.sources._contained import Contained

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
    """Reads what another program writes; ends where that ends."""

    ends = True

    def __init__(self, form: str | None, options: dict[str, str]) -> None:
        super().__init__("standard input")
        self._form = form
        self._options = options

    def _opened(self) -> InputContainer:
        # By number, not as a file object: that would wait until its buffer is full.
        return av.open(
            f"pipe:{sys.stdin.fileno()}",
            format=self._form,
            container_options={**self._options, "protocol_whitelist": "pipe,fd"},
            metadata_errors="replace",
        )

    def _explained(self, error: Exception) -> str:
        return (
            f"{self.name}: is no video ({error_text(error)}): send one that can be read as it "
            "comes (MPEG-TS, Matroska), or say what raw frames are like (--raw-format)"
        )
