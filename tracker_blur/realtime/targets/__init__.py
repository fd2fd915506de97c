"""Targets: one file a kind; each takes redacted frames as they come.

A target is called by one thread, its own, and may be slow: it is always shown the newest frame.

What a target gets at of a delivery: the redacted frame, to be read only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import numpy.typing as npt

from tracker_blur.core import plugins
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.paths import is_folder
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.status import Status
from tracker_blur.settings import Settings
from tracker_blur.video.frame import DecodedFrame

_WORDS = ("virtual", "web", "window")


@dataclass(frozen=True, slots=True)
class Context:
    """What targets may need.

    settings  how files are written, among other things
    live      further options
    controls  what keys and buttons act on
    status    returns how the session fares, from any thread, at once
    tell      called with what a user should know, such as where to look
    """

    settings: Settings
    live: LiveSettings
    controls: Controls
    status: Callable[[], Status]
    tell: Callable[[str], None] = lambda text: None


class GoneError(SinkError):
    """A target has failed for good: it is not opened again."""


class Target(Protocol):
    """Something that shows, keeps or sends what is redacted.

    name  as the user wrote it
    """

    name: str

    @property
    def is_reached(self) -> bool:
        """Whether pictures get through, as far as can be told, since it was opened last.

        A server may answer only after it was shown some. After `close` it stays as it was.
        """
        ...

    def open(self, format: Format) -> None:
        """Get ready; raises SinkError when that fails: for the first time, that ends the session.

        A server that is not there yet fails on showing. Called again after a failure.
        """
        ...

    def show(self, delivery: Delivery) -> None:
        """Take the next picture; raises SinkError when the target has failed."""
        ...

    def play(self, sound: AudioChunk) -> None:
        """Take the next stretch of sound, which targets without sound leave alone.

        Raises SinkError when the target has failed.
        """
        ...

    def close(self) -> None:
        """Finish files and let go of all, also after a failure; never raises, may come twice."""
        ...


def open_target(text: str, context: Context) -> Target:
    """Return the target that a word such as "window" or "out.mkv" means; it is opened later.

    Raises SettingsError for a word that means none, MissingPackageError.
    """
    target: Target = plugins.load(__name__, _kind(text)).make(text, context)
    return target


def _kind(text: str) -> str:
    """Return the name of the plug-in that is for a word."""
    word = text.partition(":")[0]
    if text == "-":
        return "stdout"
    if "://" in text:
        return "address"
    if word in _WORDS:
        return word
    path = Path(text)
    if text and (text[-1] in "/" + os.sep or is_folder(path) or path.suffix.lower() == ".m3u8"):
        return "hls"
    if path.suffix:
        return "recording"
    raise SettingsError(
        f"'{text}' is no target: name window, virtual, web, - for standard output, a file such as "
        "out.mkv, a folder or playlist such as live.m3u8, or an address such as rtmp://HOST/KEY"
    )


def frame_of(delivery: Delivery) -> DecodedFrame:
    """Return the redacted frame; raises TypeError for anything else, raw frames above all."""
    redacted = delivery.redacted
    if not isinstance(redacted, RedactedFrame) or not isinstance(redacted.frame, DecodedFrame):
        raise TypeError(f"a target takes redacted frames only, not {redacted!r}")
    return redacted.frame


def copy_of(picture: av.VideoFrame) -> av.VideoFrame:
    """Return a copy of a yuv420p picture, for its time to be set: other targets read this one."""
    copy = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for there, here in zip(_planes(copy), _planes(picture), strict=True):
        np.copyto(there, here)
    return copy


def i420(picture: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Return the samples of a yuv420p picture without gaps: all of Y, then U, then V."""
    return np.concatenate([plane.reshape(-1) for plane in _planes(picture)])


def _planes(picture: av.VideoFrame) -> list[npt.NDArray[np.uint8]]:
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            : plane.height, : plane.width
        ]
        for plane in picture.planes
    ]
