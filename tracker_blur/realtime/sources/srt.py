"""An SRT address, read by the program ffmpeg: PyAV's own FFmpeg knows no SRT."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress

import av
from av.container import InputContainer

from tracker_blur.errors import SourceError
from tracker_blur.realtime.access import has_unknown_host, without_secrets
from tracker_blur.realtime.child_process import StderrTail
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import Item
from tracker_blur.realtime.sources._container import Contained

_END_SECONDS = 2.0
_LAST_LINES = 3
_SPEAKER = re.compile(r"\[[\w,]+ @ 0x[0-9a-f]+\] ")


def make(text: str, live: LiveSettings) -> Srt:
    """Return the source; raises SourceError where the program is missing."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise SourceError(f"{without_secrets(text)}: SRT needs the program ffmpeg: install it")
    return Srt(program, text, live)


class Srt(Contained):
    """The program connects, and passes packets on as they are; it is started anew when it ends."""

    def __init__(self, program: str, text: str, live: LiveSettings) -> None:
        super().__init__(without_secrets(text))
        self._address = text
        self._command = [program, "-hide_banner", "-loglevel", "error", "-nostdin"]
        self._command += ["-rw_timeout", f"{live.timeout_seconds * 1e6:.0f}"]
        self._command += ["-i", text, "-c", "copy", "-f", "mpegts", "-flush_packets", "1", "pipe:1"]
        self._process: subprocess.Popen[bytes] | None = None
        self._said: StderrTail | None = None
        self._is_aborted = False

    def _opened(self) -> InputContainer:
        self._said = StderrTail()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._said.fileno(),
        )
        assert self._process.stdout is not None
        if self._is_aborted:  # while the program was being started
            raise SourceError(f"{self.name}: is not opened any more")
        return av.open(
            f"pipe:{self._process.stdout.fileno()}",
            format="mpegts",
            container_options={"fflags": "discardcorrupt"},
            metadata_errors="replace",
        )

    def _explained(self, error: Exception) -> str:
        return (
            f"{self.name}: cannot be opened ({self._last_words() or error}): check the address, "
            "and that it is sending"
        )

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes."""
        for item in super().read(stopping):
            if self._said is not None:
                self._said.forget()
            yield item

    def close(self) -> None:
        """End the program."""
        self._kill()
        super().close()
        process, self._process = self._process, None
        if process is not None:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        if self._said is not None:
            self._said.close()
            self._said = None

    def abort(self) -> None:
        """End the program at once, for good: whoever reads from it comes to an end."""
        self._is_aborted = True
        self._kill()

    def _kill(self) -> None:
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
        if has_unknown_host(self._address):
            return "its host is not known"
        text = " ".join(line.strip() for line in self._said.lines()[-_LAST_LINES:])
        return without_secrets(_SPEAKER.sub("", text))
