"""Standard output: an MPEG transport stream, for another program to read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.child_process import PipeWriter
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.targets import Context, GoneError
from tracker_blur.realtime.targets._encoding import Form, LiveWriter, check, explained, prove
from tracker_blur.video.containers import ContainerFormat

_DESCRIPTOR = 1
_CLOSING_SECONDS = 1.0
_NOBODY = "-: nobody reads standard output: start both again"
_FORM = Form(
    ContainerFormat("mpegts", frozenset({"h264", "hevc", "mpeg2video"}), ("h264",), is_strict=False)
)


def make(text: str, context: Context) -> StandardOutput:
    """Return standard output; raises SettingsError where that is a terminal, or closed."""
    if sys.stdout is None:
        raise SettingsError("-: standard output is closed: send it to a program or a file")
    if os.isatty(_DESCRIPTOR):
        raise SettingsError("-: standard output is a terminal: send it to a program or a file")
    check(_FORM, context.settings)
    return StandardOutput(context)


class StandardOutput:
    """What a player reads from a pipe: H.264 and AAC.

    descriptor  that of standard output

    Raises GoneError when the reader is gone; SinkError on showing, when it reads nothing for some
    seconds.
    """

    name = "-"
    is_reached = True

    def __init__(self, context: Context, descriptor: int = _DESCRIPTOR) -> None:
        self._context = context
        self._descriptor = descriptor
        self._pipe: PipeWriter | None = None
        self._writer: LiveWriter | None = None

    def open(self, format: Format) -> None:
        """Get ready."""
        prove(_FORM, format, self._context.settings)
        self._pipe = PipeWriter(self._descriptor, self._context.live.timeout_seconds)
        if not self._pipe.has_reader:
            raise GoneError(_NOBODY)
        self._writer = LiveWriter(cast(BinaryIO, self._pipe), _FORM, format, self._context.settings)

    def show(self, delivery: Delivery) -> None:
        """Write a picture; raises SinkError when that fails."""
        assert self._writer is not None
        with _explained():
            self._writer.show(delivery)

    def play(self, sound: AudioChunk) -> None:
        """Write a stretch of sound; raises SinkError when that fails."""
        assert self._writer is not None
        with _explained():
            self._writer.play(sound)

    def close(self) -> None:
        """Write what is left."""
        writer, self._writer = self._writer, None
        if self._pipe is not None:
            self._pipe.hurry(_CLOSING_SECONDS)
        if writer is not None:
            with suppress(Exception):
                writer.finish()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        with explained(StandardOutput.name):
            yield
    except SinkError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise GoneError(_NOBODY) from error
        if isinstance(error.__cause__, TimeoutError):
            raise SinkError("-: the reader of standard output reads nothing: wake it") from error
        raise
