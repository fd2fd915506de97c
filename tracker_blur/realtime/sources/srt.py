"""An SRT address, read by the program ffmpeg: PyAV's FFmpeg is built without SRT."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import av

from tracker_blur.errors import SourceError
from tracker_blur.realtime import srt
from tracker_blur.realtime.addresses import address_name, has_unknown_host, without_secrets
from tracker_blur.realtime.child_process import StderrTail
from tracker_blur.realtime.sources._container import ContainerSource

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from av.container import InputContainer

    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.realtime.sources import CapturedItem

_STDERR_LINES = 3
_LOG_PREFIX = re.compile(r"\[[\w,]+ @ 0x[0-9a-f]+\] ")


def make(text: str, settings: LiveSettings) -> SrtSource:
    """Return the source; raises SourceError if the program ffmpeg is not installed."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise SourceError(f"{address_name(text)}: SRT needs the program ffmpeg: install it")
    return SrtSource(program, text, settings)


class SrtSource(ContainerSource):
    """Runs ffmpeg, which connects and passes the packets on; it is started again when it ends."""

    def __init__(self, program: str, address: str, settings: LiveSettings) -> None:
        super().__init__(address_name(address))
        self._address = address
        self._exit_seconds = settings.timing.end_process_seconds
        self._script = srt.input_script(address, settings.timeout_seconds)
        self._command = [program, "-hide_banner", "-loglevel", "error", "-nostdin"]
        self._command += [*srt.input_arguments(settings.timeout_seconds), "-c", "copy"]
        self._command += ["-f", "mpegts", "-flush_packets", "1", "pipe:1"]
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: StderrTail | None = None
        self._is_aborted = False

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield frames and audio as they arrive."""
        for item in super().read(stopping):
            if self._stderr is not None:
                self._stderr.trim()
            yield item

    def close(self) -> None:
        """End ffmpeg."""
        self._kill()
        super().close()
        process, self._process = self._process, None
        if process is not None:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def abort(self) -> None:
        """Kill ffmpeg for good, which ends a blocking read."""
        self._is_aborted = True
        self._kill()

    def _open_container(self) -> InputContainer:
        self._stderr = StderrTail()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr.fileno(),
        )
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as script:  # it may have been killed
            script.write(self._script)
        if self._is_aborted:  # while ffmpeg was being started
            raise SourceError(f"{self.name}: was stopped while it was being opened")
        return av.open(
            f"pipe:{self._process.stdout.fileno()}",
            format="mpegts",
            container_options={"fflags": "discardcorrupt"},
            metadata_errors="replace",
        )

    def _open_error(self, error: Exception) -> str:
        return (
            f"{self.name}: cannot be opened ({self._ffmpeg_error() or error}): check the address, "
            "and that the sender is running"
        )

    def _ffmpeg_error(self) -> str:
        """Return what ffmpeg wrote about its failure."""
        if self._process is None or self._stderr is None:
            return ""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._exit_seconds)
        if has_unknown_host(self._address):
            return "unknown host"
        text = " ".join(line.strip() for line in self._stderr.lines()[-_STDERR_LINES:])
        return without_secrets(_LOG_PREFIX.sub("", text), self._address)

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            with suppress(OSError):
                process.kill()
