"""Standard output: an MPEG transport stream for another program."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, cast

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.child_process import PipeWriter
from tracker_blur.realtime.targets import GoneError, TargetContext
from tracker_blur.realtime.targets._encoding import (
    LiveContainer,
    LiveWriter,
    as_sink_errors,
    check_encoder,
    try_encoder,
)
from tracker_blur.video.containers import ContainerFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format

_STDOUT = 1  # file descriptor
_NO_READER = "-: no one reads standard output: start both programs again"
_CONTAINER = LiveContainer(
    ContainerFormat("mpegts", frozenset({"h264", "hevc", "mpeg2video"}), ("h264",), is_strict=False)
)


def make(text: str, context: TargetContext) -> StdoutTarget:
    """Return the target; raises SettingsError if standard output is closed or a terminal."""
    if sys.stdout is None:
        raise SettingsError(f"{text}: standard output is closed: send it to a program or a file")
    if os.isatty(_STDOUT):
        raise SettingsError(f"{text}: standard output is a terminal: pipe it to a program or file")
    check_encoder(_CONTAINER, context.settings)
    return StdoutTarget(context)


class StdoutTarget:
    """Writes H.264 and AAC to a pipe, for a player to read.

    Its methods raise GoneError if the reader is gone, and `show` and `play` raise SinkError if it
    reads nothing for some seconds.

    Args:
        context: Of the session.
        descriptor: File descriptor to write to.
    """

    name = "-"
    is_reached = True

    def __init__(self, context: TargetContext, descriptor: int = _STDOUT) -> None:
        self._settings = context.settings
        self._live = context.live
        self._descriptor = descriptor
        self._pipe: PipeWriter | None = None
        self._writer: LiveWriter | None = None

    def open(self, format: Format) -> None:
        """Check that there is a reader."""
        try_encoder(_CONTAINER, format, self._settings)
        self._pipe = PipeWriter(self._descriptor, self._live.timeout_seconds)
        if not self._pipe.has_reader:
            raise GoneError(_NO_READER)
        self._writer = LiveWriter(cast("BinaryIO", self._pipe), _CONTAINER, format, self._settings)

    def show(self, delivery: Delivery) -> None:
        """Write a frame; raises SinkError if that fails."""
        assert self._writer is not None
        with _pipe_errors():
            self._writer.show(delivery)

    def play(self, audio: AudioChunk) -> None:
        """Write a chunk of audio; raises SinkError if that fails."""
        assert self._writer is not None
        with _pipe_errors():
            self._writer.play(audio)

    def close(self) -> None:
        """Write what is left."""
        writer, self._writer = self._writer, None
        if self._pipe is not None:
            self._pipe.limit_timeout(self._live.timing.end_stdout_seconds)
        if writer is not None:
            with suppress(Exception):
                writer.finish()


@contextmanager
def _pipe_errors() -> Iterator[None]:
    """Say what a broken or full pipe means."""
    try:
        with as_sink_errors(StdoutTarget.name):
            yield
    except SinkError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise GoneError(_NO_READER) from error
        if isinstance(error.__cause__, TimeoutError):
            raise SinkError(
                "-: the reader of standard output has stalled: resume or restart it"
            ) from error
        raise
