"""An SRT address, read by the program ffmpeg: PyAV's own FFmpeg knows no SRT."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import IO

import av
from av.container import InputContainer

from tracker_blur.errors import SourceError
from tracker_blur.live.live_settings import LiveSettings
from tracker_blur.live.sources import Item, without_secrets
from tracker_blur.live.sources._streams import Streams

_END_SECONDS = 2.0
_SAID_BYTES = 300


def make(text: str, live: LiveSettings) -> Srt:
    """Return the source; raises SourceError where the program is missing."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise SourceError(f"{without_secrets(text)}: SRT needs the program ffmpeg: install it")
    return Srt(program, text, live)


class Srt:
    """The program connects, and passes packets on as they are; it is started anew when it ends."""

    ends = False

    def __init__(self, program: str, text: str, live: LiveSettings) -> None:
        self.name = without_secrets(text)
        self.rate: Fraction | None = None
        self.has_sound = False
        self._command = [program, "-hide_banner", "-loglevel", "error", "-nostdin"]
        self._command += ["-rw_timeout", f"{live.timeout_seconds * 1e6:.0f}"]
        self._command += ["-i", text, "-c", "copy", "-f", "mpegts", "-flush_packets", "1", "pipe:1"]
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._container: InputContainer | None = None
        self._streams: Streams | None = None

    def open(self) -> None:
        """Start the program."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._said
            )
            assert self._process.stdout is not None
            self._container = av.open(
                f"pipe:{self._process.stdout.fileno()}",
                format="mpegts",
                container_options={"fflags": "discardcorrupt"},
                metadata_errors="replace",
            )
            self._streams = Streams(self._container, self.name)
        except (av.FFmpegError, OSError) as error:
            said = self._last_words()
            self.close()
            raise SourceError(
                f"{self.name}: cannot be opened ({said or error}): check the address, and that it "
                "is sending"
            ) from error
        self.rate, self.has_sound = self._streams.rate, self._streams.has_sound

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes."""
        assert self._streams is not None
        yield from self._streams.read(stopping)

    def close(self) -> None:
        """End the program."""
        self.abort()
        container, self._container, self._streams = self._container, None, None
        if container is not None:
            container.close()
        process, self._process = self._process, None
        if process is not None:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        if self._said is not None:
            self._said.close()
            self._said = None

    def abort(self) -> None:
        """End the program at once: whoever reads from it comes to an end."""
        process = self._process
        if process is not None:
            with suppress(OSError):
                process.kill()

    def _last_words(self) -> str:
        """Return what the program said of what went wrong."""
        if self._process is None or self._said is None:
            return ""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._said.seek(0)
        text = self._said.read(_SAID_BYTES).decode(errors="replace")
        return without_secrets(" ".join(text.split()))
