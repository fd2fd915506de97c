"""Servers to send to: the program ffmpeg, which records what it receives."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from listening_ports import is_listened_on, kind_of_socket

from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROTOCOLS = {  # address to send to, and ffmpeg's options to listen there
    "rtmp": ("rtmp://127.0.0.1:{port}/live/key", ["-listen", "1"]),
    "rtsp": ("rtsp://127.0.0.1:{port}/live", ["-rtsp_flags", "listen"]),
    "srt": ("srt://127.0.0.1:{port}", []),
    "udp": ("udp://127.0.0.1:{port}?pkt_size=1316", []),
    "tcp": ("tcp://127.0.0.1:{port}", []),
    "http": ("http://127.0.0.1:{port}/live", ["-listen", "1"]),
}
_LISTEN_ADDRESSES = {  # where they differ from the address to send to
    "srt": "srt://127.0.0.1:{port}?mode=listener",
    "tcp": "tcp://127.0.0.1:{port}?listen=1",
    "udp": "udp://127.0.0.1:{port}?fifo_size=100000",
}
_LAST_SECONDS = 10.0


@dataclass
class FfmpegServer:
    """A started server: its address and port, its process, and the files it writes."""

    address: str
    port: int
    process: subprocess.Popen[bytes]
    progress: Path

    @property
    def frame_count(self) -> int:
        """How many frames it has written at least."""
        counts = re.findall(r"^frame=\s*(\d+)$", self.progress.read_text(), re.MULTILINE)
        return int(counts[-1]) if counts else 0

    def finish(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Let it finish its file once its client is gone."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience_seconds)
        self.kill()

    def interrupt(self) -> None:
        """Have it finish its file now: it does not notice that its client is gone."""
        self.process.terminate()
        self.finish(_LAST_SECONDS)  # now and then it hangs, with its file on the disk

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def ffmpeg_server(
    protocol: str, path: Path, port: int | None = None, options: str = ""
) -> Iterator[FfmpegServer]:
    """Start a server that records to a path, and wait until it listens.

    `options` are added to the address that it listens on. Skips the test without ffmpeg.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the program ffmpeg, which plays the server, is not installed")
    kind = kind_of_socket(protocol)
    port = port or free_port(kind)
    address, arguments = PROTOCOLS[protocol]
    listen_address = _LISTEN_ADDRESSES.get(protocol, address).format(port=port) + options
    progress = path.with_suffix(".progress")
    progress.touch()
    command = [
        *(program, "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
        *("-progress", progress.as_uri(), "-stats_period", "0.1"),
        *(*arguments, "-i", listen_address, "-map", "0", "-c", "copy", "-f", "matroska", str(path)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    server = FfmpegServer(address.format(port=port), port, process, progress)
    try:
        until(lambda: is_listened_on(port, kind))
        yield server
    finally:
        server.kill()
        assert process.stderr is not None
        process.stderr.close()
