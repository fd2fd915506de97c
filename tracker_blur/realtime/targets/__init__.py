"""Live targets, one file each: they show, record or send redacted frames.

A target is a plug-in: a module of this package with a function `make(text, context) -> Target`,
where `text` is what the user wrote after `--to` and `context` is a `TargetContext`. `make` checks
its arguments and opens nothing. It raises SettingsError for a value that makes no sense and
MissingPackageError when an optional package is not installed.

To add a target, add a file with `make` and a class that implements the `Target` protocol, and add
to `_plugin_name` which arguments select it. The contract tests in `tests/realtime/targets` then
fail until they have an example of it. Targets that encode use `_encoding.LiveWriter`.

Each target runs in a thread of its own (`realtime.target_worker`) and may be slow: it always gets
the newest frame. It takes frames only from `redacted_frame`, which refuses anything that the
redactor did not make.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import av

from tracker_blur.core import plugins
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.paths import is_folder
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.pixel_formats import planes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.realtime.status import Status
    from tracker_blur.settings import Settings

_NAMES = ("virtual", "web", "window")


@dataclass(frozen=True, slots=True)
class TargetContext:
    """What targets may need from their session.

    Attributes:
        settings: How files are written, among other things.
        live: Further options.
        controls: What keys and buttons act on.
        status: Returns the session's status at once, from any thread.
        inform: Called with a line for the user.
        announce: The same for what the user must get to know, such as a token.
    """

    settings: Settings
    live: LiveSettings
    controls: Controls
    status: Callable[[], Status]
    inform: Callable[[str], None] = lambda _: None
    announce: Callable[[str], None] = lambda _: None


class GoneError(SinkError):
    """A target failed for good: it is not opened again."""


class Target(Protocol):
    """Shows, records or sends redacted frames.

    Attributes:
        name: As the user wrote it, without secrets.
    """

    name: str

    @property
    def is_reached(self) -> bool:
        """Whether frames have arrived since the target was last opened, as far as is known.

        A server may answer only after some frames were sent. `close` does not change the value.
        """
        ...

    def open(self, format: Format) -> None:
        """Get ready for frames of this format; called again after a failure.

        Raises:
            SinkError: The target cannot be opened, which ends the session if it is the first time.
                A server that cannot be reached fails in `show` instead.
        """
        ...

    def show(self, delivery: Delivery) -> None:
        """Take the next frame.

        Raises:
            SinkError: The target has failed.
        """
        ...

    def play(self, audio: AudioChunk) -> None:
        """Take the next chunk of audio; targets without audio ignore it.

        Raises:
            SinkError: The target has failed.
        """
        ...

    def close(self) -> None:
        """Finish files and release everything, also after a failure.

        Never raises, and may be called twice.
        """
        ...


def open_target(text: str, context: TargetContext) -> Target:
    """Return the target that a text such as "window" or "out.mkv" names; it is not opened yet.

    Raises:
        SettingsError: The text names no target.
        MissingPackageError: An optional package is not installed.
    """
    target: Target = plugins.load(__name__, _plugin_name(text)).make(text, context)
    return target


def _plugin_name(text: str) -> str:
    """Return the name of the plug-in that serves this target."""
    name = text.partition(":")[0]
    if text == "-":
        return "stdout"
    if "://" in text:
        return "address"
    if name in _NAMES:
        return name
    path = Path(text)
    if text and (text[-1] in "/" + os.sep or is_folder(path) or path.suffix.lower() == ".m3u8"):
        return "hls"
    if path.suffix:
        return "recording"
    raise SettingsError(
        f"'{text}' is not a target: name window, virtual, web, - for standard output, a file such "
        "as out.mkv, a folder or playlist such as live.m3u8, or an address such as rtmp://HOST/KEY"
    )


def redacted_frame(delivery: Delivery) -> DecodedFrame:
    """Return the redacted frame, to be read only; raises TypeError for a frame that is not."""
    redacted = delivery.redacted
    if not isinstance(redacted, RedactedFrame) or not isinstance(redacted.frame, DecodedFrame):
        raise TypeError(f"a target takes redacted frames only, not {redacted!r}")
    return redacted.frame


def copy_frame(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a copy of a yuv420p frame whose time may be set: other targets read the original."""
    copy = av.VideoFrame(frame.width, frame.height, "yuv420p")
    copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
    copy.color_primaries, copy.color_trc = frame.color_primaries, frame.color_trc
    for target, source in zip(planes(copy), planes(frame), strict=True):
        target.samples[...] = source.samples
    return copy
