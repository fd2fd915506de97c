"""A stream to a server: RTMP, RTSP, SRT, UDP, TCP or HTTP."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.processes import python_environment
from tracker_blur.realtime import forwarding, srt
from tracker_blur.realtime.addresses import address_name, has_unknown_host, without_secrets
from tracker_blur.realtime.child_process import PipeWriter, StderrTail, end
from tracker_blur.realtime.targets._encoding import (
    LiveContainer,
    LiveWriter,
    as_sink_errors,
    check_encoder,
    try_encoder,
)
from tracker_blur.video.containers import ContainerFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
    from tracker_blur.realtime.targets import TargetContext

_CONTAINER = LiveContainer(
    ContainerFormat(
        forwarding.PIPE_FORMAT,
        frozenset({"h264", "hevc"}),
        ("h264",),
        options={"write_index": "0"},  # the index would grow for as long as the stream lasts
    )
)
_NO_PROBING = ("-analyzeduration", "0", "-fpsprobesize", "0")


@dataclass(frozen=True, slots=True)
class _Protocol:
    """FFmpeg's muxer for a protocol, and its options."""

    muxer: str
    options: Mapping[str, str] = field(default_factory=dict)
    needs_program: bool = False


_RTMP = _Protocol("flv", {"flvflags": "no_duration_filesize"})
_PROTOCOLS = {
    "rtmp": _RTMP,
    "rtmps": _RTMP,
    "rtsp": _Protocol("rtsp"),
    "rtsps": _Protocol("rtsp"),
    "srt": _Protocol("mpegts", needs_program=True),  # PyAV's FFmpeg is built without SRT
    "udp": _Protocol("mpegts"),
    "tcp": _Protocol("mpegts"),
    "http": _Protocol("mpegts"),
    "https": _Protocol("mpegts"),
}


def make(text: str, context: TargetContext) -> NetworkTarget:
    """Return the target for an address.

    Raises:
        SettingsError: The protocol is not supported, or as `check_encoder` does.
        SinkError: As `check_encoder` does.
    """
    scheme = text.partition("://")[0].lower()
    if scheme not in _PROTOCOLS:
        known = ", ".join(_PROTOCOLS)
        raise SettingsError(
            f"{address_name(text)}: '{scheme}' is not a supported protocol: choose one of {known}"
        )
    check_encoder(_CONTAINER, context.settings)
    try:
        return NetworkTarget(text, _PROTOCOLS[scheme], context)
    except ValueError as error:
        raise SettingsError(f"{address_name(text)}: is no valid address: correct it") from error


class NetworkTarget:
    """Sends H.264 and AAC to a server, through a child process that may block on the network.

    `open` raises SinkError if a program it needs is missing. `show` and `play` raise it if the
    server cannot be reached, is gone, or accepts nothing for some seconds.
    """

    def __init__(self, address: str, protocol: _Protocol, context: TargetContext) -> None:
        self.name = address_name(address)
        self.is_reached = False
        self._address = address
        self._protocol = protocol
        self._bare_address, self._preset = address, b""
        if protocol.needs_program:
            self._bare_address, self._preset = srt.without_options(address)
        self._settings = context.settings
        self._live = context.live
        self._exit_seconds = context.live.timing.end_process_seconds
        self._sender: subprocess.Popen[bytes] | None = None
        self._stderr: StderrTail | None = None
        self._stdout: StderrTail | None = None  # stays empty until the server is reached
        self._pipe: PipeWriter | None = None
        self._writer: LiveWriter | None = None

    def open(self, format: Format) -> None:
        """Start the sender; whether the server can be reached is known only later."""
        program = self._program()
        try_encoder(_CONTAINER, format, self._settings)
        self._stderr, self._stdout = StderrTail(), StderrTail()
        self.is_reached = False
        try:
            with _readable(self._preset) as preset:
                self._sender = subprocess.Popen(
                    self._command(program, preset),
                    stdin=subprocess.PIPE,
                    stdout=self._stdout.fileno(),
                    stderr=self._stderr.fileno(),
                    env=python_environment(),
                    pass_fds=() if preset is None else (preset,),
                    start_new_session=True,  # Ctrl+C at the terminal is for this process only
                )
        except OSError as error:
            raise SinkError(
                f"{self.name}: the sender cannot be started ({error}): try again"
            ) from error
        assert self._sender.stdin is not None
        self._pipe = PipeWriter(
            self._sender.stdin.fileno(), self._live.timeout_seconds, is_shared=False
        )
        if program is None:
            with suppress(OSError):  # it has ended: its reason is reported with the first frame
                self._pipe.write(forwarding.first_line(self._address))
        self._writer = LiveWriter(cast("BinaryIO", self._pipe), _CONTAINER, format, self._settings)

    def show(self, delivery: Delivery) -> None:
        """Send a frame; raises SinkError if that fails."""
        assert self._writer is not None
        assert self._stderr is not None
        self._stderr.trim()
        self._check_progress()
        with self._sender_errors():
            self._writer.show(delivery)

    def play(self, audio: AudioChunk) -> None:
        """Send a chunk of audio; raises SinkError if that fails."""
        assert self._writer is not None
        with self._sender_errors():
            self._writer.play(audio)

    def close(self) -> None:
        """Send what is left, and end the sender."""
        writer, self._writer = self._writer, None
        sender, self._sender = self._sender, None
        if self._pipe is not None:
            self._pipe.limit_timeout(self._exit_seconds)
        if writer is not None:
            with suppress(Exception):
                writer.finish()
        if sender is not None:
            end(sender, self._exit_seconds)
        self._check_progress()
        for output in (self._stderr, self._stdout):
            if output is not None:
                output.close()
        self._stderr = self._stdout = None

    def _check_progress(self) -> None:
        """Notice when the sender has sent something; over UDP no one knows whether it arrived."""
        if self._stdout is not None and self._stdout.has_output:
            self.is_reached = True
            self._stdout.trim()

    def _program(self) -> str | None:
        """Return the program that sends; None: our own."""
        if not self._protocol.needs_program:
            return None
        program = shutil.which("ffmpeg")
        if program is None:
            raise SinkError(f"{self.name}: needs the program ffmpeg: install it")
        return program

    def _command(self, program: str | None, preset: int | None) -> list[str]:
        """Return the sender's command, without secrets: everyone can read it.

        Args:
            program: ffmpeg, or None.
            preset: file descriptor of a preset file for ffmpeg, or None.
        """
        muxer, options = self._protocol.muxer, dict(self._protocol.options)
        if muxer == "rtsp":
            options["rtsp_transport"] = self._live.transport
        if program is None:
            pairs = [f"{name}={value}" for name, value in options.items()]
            return [sys.executable, "-m", forwarding.__name__, muxer, *pairs]
        logging = ["-hide_banner", "-loglevel", "error", "-progress", "pipe:1"]
        reading = [*_NO_PROBING, "-f", forwarding.PIPE_FORMAT, "-i", "pipe:0"]
        secrets = [] if preset is None else ["-fpre", f"/dev/fd/{preset}"]
        return [
            program,
            *logging,
            *reading,
            "-c",
            "copy",
            *secrets,
            "-f",
            muxer,
            self._bare_address,
        ]

    @contextmanager
    def _sender_errors(self) -> Iterator[None]:
        """Replace a broken pipe by the reason that the sender gave."""
        try:
            with as_sink_errors(self.name):
                yield
        except SinkError as error:
            if isinstance(error.__cause__, TimeoutError):
                reason = f"accepted no data for {self._live.timeout_seconds:g} seconds"
            elif isinstance(error.__cause__, BrokenPipeError):
                reason = self._sender_error()
            else:
                raise
            raise SinkError(f"{self.name}: {reason}: check the server and the address") from error

    def _sender_error(self) -> str:
        assert self._sender is not None
        assert self._stderr is not None
        with suppress(subprocess.TimeoutExpired):
            self._sender.wait(self._exit_seconds)
        lines = self._stderr.lines()
        if not lines:
            return "the connection was closed"
        if has_unknown_host(self._address):
            return "cannot be reached (unknown host)"
        reason = without_secrets(lines[-1].strip(), self._address).lower()
        return f"cannot be reached ({reason})"


@contextmanager
def _readable(data: bytes) -> Iterator[int | None]:
    """Yield the descriptor of a pipe that holds these few bytes; None if there are none."""
    if not data:
        yield None
        return
    if sys.platform == "win32":
        raise SinkError("srt: a secret cannot be handed to ffmpeg on Windows: leave it out")
    read, write = os.pipe()
    try:
        with os.fdopen(write, "wb") as file:
            file.write(data)
        yield read
    finally:
        os.close(read)
