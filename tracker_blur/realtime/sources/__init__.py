"""Sources of live pictures: one file a kind; each gives pictures and sound as they come.

A source may be opened again after it has stopped. It queues nothing: what is not taken in time is
lost where it comes from, or in the newest-wins place that pictures are put in.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeAlias

import av
import numpy as np
import numpy.typing as npt

from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError
from tracker_blur.files.paths import is_folder
from tracker_blur.realtime.settings import LiveSettings

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A picture; `stamp` is its time in seconds on the source's own clock, if it has one."""

    picture: av.VideoFrame
    stamp: float | None


@dataclass(frozen=True, slots=True)
class CapturedAudio:
    """Sound, as in `delivery.Sound`; `stamp` is the time of its first sample, as a picture's."""

    samples: npt.NDArray[np.float32]
    stamp: float | None


Item: TypeAlias = CapturedFrame | CapturedAudio


class LiveSource(Protocol):
    """Something that gives pictures and sound.

    name       as the user wrote it, without secrets
    ends       whether its end is the end of all, and no reason to open it again
    rate       frames per second, once it is open; None: not known
    has_sound  whether it gives sound, too, once it is open
    """

    name: str
    ends: bool
    rate: Fraction | None
    has_sound: bool

    def open(self) -> None:
        """Connect to it; raises SourceError when that fails. Called again after it stopped."""
        ...

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes, until it ends, or `stopping` is set.

        Raises SourceError when it gives nothing for too long, or breaks off.
        """
        ...

    def close(self) -> None:
        """Let go of it; never raises, may come twice."""
        ...

    def abort(self) -> None:
        """End a `read` that waits, where possible; called from another thread."""
        ...


def open_source(text: str, live: LiveSettings, *, realtime: bool = False) -> LiveSource:
    """Return the source that a word means; it is opened later.

    text      a camera's number or device, an address, "-" for standard input, or a file
    realtime  play a file at its own speed

    Raises SettingsError for a file without `realtime`, for one that is none.
    """
    kind = _kind(text, realtime)
    source: LiveSource = plugins.load(__name__, kind).make(text, live)
    return source


def _kind(text: str, realtime: bool) -> str:
    if text == "-":
        return "standard_input"
    if text.lower().startswith("srt://"):
        return "srt"
    if _ADDRESS.match(text):
        return "address"
    if realtime:
        return "file"
    if text.isdigit() or text.startswith("/dev/"):
        return "camera"
    path = Path(text)
    if text and is_folder(path):
        raise SettingsError(f"{text}: is a folder: name a file in it, with --realtime")
    with suppress(OSError):  # of a name that is too long
        if path.is_file():
            raise SettingsError(
                f"{text}: is a file: add --realtime to play it as if it came live, or hide its "
                f"faces with 'trackblur {text}'"
            )
    if path.suffix:
        raise SettingsError(f"{text}: no such file")
    raise SettingsError(
        f"'{text}' is no source: name a camera (0), an address (rtsp://...), or a file with "
        "--realtime"
    )
