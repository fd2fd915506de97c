"""A server's address: rtmp, rtsp, srt, udp, tcp or http."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime import forwarding
from tracker_blur.realtime.access import has_unknown_host, without_secrets
from tracker_blur.realtime.child_process import PipeWriter, StderrTail, end, environment
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.targets import Context
from tracker_blur.realtime.targets._encoding import Form, LiveWriter, check, explained, prove
from tracker_blur.video.containers import ContainerFormat

_FORM = Form(
    ContainerFormat(
        forwarding.PIPE_FORMAT,
        frozenset({"h264", "hevc"}),
        ("h264",),
        options={"write_index": "0"},  # it would grow for as long as the stream lasts
    )
)
_ENDING_SECONDS = 2.0
_NO_PROBING = [
    *("-analyzeduration", "0", "-fpsprobesize", "0"),
]


@dataclass(frozen=True, slots=True)
class _Protocol:
    """How a server is spoken to: FFmpeg's name of the container, and its options."""

    muxer: str
    options: Mapping[str, str] = field(default_factory=dict)
    needs_program: bool = False


_FLASH = _Protocol("flv", {"flvflags": "no_duration_filesize"})
_PROTOCOLS = {
    "rtmp": _FLASH,
    "rtmps": _FLASH,
    "rtsp": _Protocol("rtsp"),
    "rtsps": _Protocol("rtsp"),
    "srt": _Protocol("mpegts", needs_program=True),
    "udp": _Protocol("mpegts"),
    "tcp": _Protocol("mpegts"),
    "http": _Protocol("mpegts"),
    "https": _Protocol("mpegts"),
}


def make(text: str, context: Context) -> NetworkTarget:
    """Return the server that an address means.

    Raises SettingsError for a protocol that is not known, and what `check` raises.
    """
    scheme = text.partition("://")[0].lower()
    if scheme not in _PROTOCOLS:
        known = ", ".join(_PROTOCOLS)
        raise SettingsError(
            f"{without_secrets(text)}: '{scheme}' is no protocol known here: choose one of {known}"
        )
    check(_FORM, context.settings)
    return NetworkTarget(text, _PROTOCOLS[scheme], context)


class NetworkTarget:
    """A stream to a server, H.264 and AAC, sent by another process.

    Raises SinkError on opening, when a program for it is missing; on showing, when the server
    cannot be reached, is gone, or takes nothing for some seconds.
    """

    def __init__(self, address: str, protocol: _Protocol, context: Context) -> None:
        self.name = without_secrets(address)
        self._address = address
        self._protocol = protocol
        self._context = context
        self._sender: subprocess.Popen[bytes] | None = None
        self._said: StderrTail | None = None
        self._reports: StderrTail | None = None  # there are none before the server is reached
        self.is_reached = False
        self._pipe: PipeWriter | None = None
        self._writer: LiveWriter | None = None

    def open(self, format: Format) -> None:
        """Start the process; whether the server can be reached shows later."""
        command = self._command()
        prove(_FORM, format, self._context.settings)
        self._said, self._reports = StderrTail(), StderrTail()
        self.is_reached = False
        try:
            self._sender = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=self._reports.fileno(),
                stderr=self._said.fileno(),
                env=environment(),
                start_new_session=True,  # an interrupt at the terminal is for this process only
            )
        except OSError as error:
            raise SinkError(f"{self.name}: cannot be sent to ({error}): try again") from error
        assert self._sender.stdin is not None
        self._pipe = PipeWriter(
            self._sender.stdin.fileno(), self._context.live.timeout_seconds, is_shared=False
        )
        self._writer = LiveWriter(cast(BinaryIO, self._pipe), _FORM, format, self._context.settings)

    def show(self, delivery: Delivery) -> None:
        """Send a picture; raises SinkError when that fails."""
        assert self._writer is not None
        assert self._said is not None
        self._said.forget()
        self._heed_reports()
        with self._explained():
            self._writer.show(delivery)

    def play(self, sound: AudioChunk) -> None:
        """Send a stretch of sound; raises SinkError when that fails."""
        assert self._writer is not None
        with self._explained():
            self._writer.play(sound)

    def close(self) -> None:
        """Send what is left, and end the process."""
        writer, self._writer = self._writer, None
        sender, self._sender = self._sender, None
        if self._pipe is not None:
            self._pipe.hurry(_ENDING_SECONDS)
        if writer is not None:
            with suppress(Exception):
                writer.finish()
        if sender is not None:
            end(sender)
        self._heed_reports()
        for words in (self._said, self._reports):
            if words is not None:
                words.close()
        self._said = self._reports = None

    def _heed_reports(self) -> None:
        """Learn whether the process has sent something; who sends by UDP never knows more."""
        if self._reports is not None and self._reports.are_any:
            self.is_reached = True
            self._reports.forget()

    def _command(self) -> list[str]:
        muxer, options = self._protocol.muxer, dict(self._protocol.options)
        if muxer == "rtsp":
            options["rtsp_transport"] = self._context.live.transport
        if not self._protocol.needs_program:
            pairs = [f"{name}={value}" for name, value in options.items()]
            return [sys.executable, "-m", forwarding.__name__, muxer, self._address, *pairs]
        program = shutil.which("ffmpeg")
        if program is None:
            raise SinkError(f"{self.name}: needs the program ffmpeg: install it")
        telling = ["-hide_banner", "-loglevel", "error", "-progress", "pipe:1"]
        reading = [*_NO_PROBING, "-f", forwarding.PIPE_FORMAT, "-i", "pipe:0"]
        return [program, *telling, *reading, "-c", "copy", "-f", muxer, self._address]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tell what the sender said when it failed."""
        try:
            with explained(self.name):
                yield
        except SinkError as error:
            if isinstance(error.__cause__, TimeoutError):
                reason = f"took nothing for {self._context.live.timeout_seconds:g} seconds"
            elif isinstance(error.__cause__, BrokenPipeError):
                reason = self._last_words()
            else:
                raise
            raise SinkError(f"{self.name}: {reason}: check the server and the address") from error

    def _last_words(self) -> str:
        assert self._sender is not None
        assert self._said is not None
        with suppress(subprocess.TimeoutExpired):
            self._sender.wait(_ENDING_SECONDS)
        lines = self._said.lines()
        if not lines:
            return "is gone"
        if has_unknown_host(self._address):
            return "is not reached (its host is not known)"
        return f"is not reached ({without_secrets(lines[-1].strip().lower())})"
