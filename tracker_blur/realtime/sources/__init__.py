"""Live sources, one file each: they deliver frames and audio as they arrive.

A source is a plug-in: a module of this package with a function
`make(text, settings) -> LiveSource`, where `text` is what the user wrote and `settings` are the
`LiveSettings`. `make` checks its arguments and opens nothing. It raises SettingsError for a value
that makes no sense and SourceError when a program it needs is missing.

To add a source, add a file with `make` and a class that implements the `LiveSource` protocol, and
add to `_plugin_name` which arguments select it. Sources that PyAV opens as a container inherit from
`_container.ContainerSource`. A source buffers nothing: what is not taken in time is lost, and
`realtime.capture` keeps only the newest frame.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.files.paths import is_folder

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    import av
    import numpy as np
    import numpy.typing as npt

    from tracker_blur.realtime.settings import LiveSettings

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A video frame as it came.

    Attributes:
        frame: The decoded frame.
        timestamp: Its time in seconds on the source's own clock; None if the source has none.
        pixel_aspect: Width of a pixel over its height, as stored.
    """

    frame: av.VideoFrame
    timestamp: float | None
    pixel_aspect: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class CapturedAudio:
    """A chunk of audio as it came.

    Attributes:
        samples: In the form of `delivery.AudioChunk`.
        timestamp: The time of its first sample, on the same clock as the frames' timestamps.
    """

    samples: npt.NDArray[np.float32]
    timestamp: float | None


CapturedItem: TypeAlias = CapturedFrame | CapturedAudio


class LiveSource(Protocol):
    """Delivers frames and audio; may be opened again after it has stopped.

    Attributes:
        name: What messages call it; without secrets.
        is_finite: Whether its end is the end of the session; otherwise it is opened again.
        rate: Frames per second, known once it is open; None: unknown.
        has_audio: Whether it delivers audio, known once it is open.
    """

    name: str
    is_finite: bool
    rate: Fraction | None
    has_audio: bool

    def open(self) -> None:
        """Connect; also called again to reconnect.

        Raises:
            SourceError: The source cannot be opened.
        """
        ...

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield frames and audio as they arrive, until the source ends or `stopping` is set.

        Raises:
            SourceError: Nothing arrived for too long, or the source was interrupted.
        """
        ...

    def close(self) -> None:
        """Release the source; never raises, and may be called twice."""
        ...

    def abort(self) -> None:
        """Interrupt a blocking `read` where that is possible; called from another thread."""
        ...


def open_source(text: str, live: LiveSettings, *, realtime: bool = False) -> LiveSource:
    """Return the source that a text names; it is not opened yet.

    Args:
        text: A camera's number or device, an address, "-" for standard input, or a file.
        live: How the source is read.
        realtime: Play a file at its own speed.

    Raises:
        SettingsError: The text is a file but `realtime` is off, or it names no source.
        SourceError: It names a file that is not there.
    """
    source: LiveSource = plugins.load(__name__, _plugin_name(text, realtime)).make(text, live)
    return source


def _plugin_name(text: str, realtime: bool) -> str:
    """Return the name of the plug-in that reads this source."""
    if text == "-":
        return "standard_input"
    if text.lower().startswith("srt://"):
        return "srt"
    if _ADDRESS.match(text):
        return "address"
    if realtime:
        return "file"
    if text.isdecimal() or text.startswith("/dev/"):
        return "camera"
    path = Path(text)
    if text and is_folder(path):
        raise SettingsError(f"{text}: is a folder: name a file in it, with --realtime")
    with suppress(OSError):  # the name is too long
        if path.is_file():
            raise SettingsError(
                f"{text}: is a file: add --realtime to play it like a live stream, or hide its "
                f"faces with 'trackblur {text}'"
            )
    if path.suffix:
        raise SourceError(f"{text}: no such file: check the name, and add --realtime for a file")
    raise SettingsError(
        f"'{text}' is not a source: name a camera (0), an address (rtsp://...), or a file with "
        "--realtime"
    )
