"""Servers to send to: the ffmpeg program, which writes down what it gets."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until


@dataclass
class Peer:
    """A server that has been started, its address, and the file it writes."""

    address: str
    path: Path
    process: subprocess.Popen[bytes]
    progress: Path

    @property
    def frames(self) -> int:
        """How many pictures it has written, or more by now."""
        told = re.findall(r"^frame=\s*(\d+)$", self.progress.read_text(), re.MULTILINE)
        return int(told[-1]) if told else 0

    def stop(self) -> None:
        """Let it finish its file."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE_SECONDS)
        self.kill()

    def end(self) -> None:
        """Tell it to finish its file, for it would wait for more."""
        self.process.terminate()
        self.stop()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


PROTOCOLS = {  # address, and how ffmpeg listens there
    "rtmp": ("rtmp://127.0.0.1:{port}/live/key", ["-listen", "1"]),
    "rtsp": ("rtsp://127.0.0.1:{port}/live", ["-rtsp_flags", "listen"]),
    "srt": ("srt://127.0.0.1:{port}", []),
    "udp": ("udp://127.0.0.1:{port}?pkt_size=1316", []),
    "tcp": ("tcp://127.0.0.1:{port}", []),
    "http": ("http://127.0.0.1:{port}/live", ["-listen", "1"]),
}
_LISTENING = {
    "srt": "srt://127.0.0.1:{port}?mode=listener",
    "tcp": "tcp://127.0.0.1:{port}?listen=1",
    "udp": "udp://127.0.0.1:{port}?fifo_size=100000",
}


@contextmanager
def peer(protocol: str, path: Path, port: int | None = None) -> Iterator[Peer]:
    """Start a server and wait until it listens; skip without the ffmpeg program."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the ffmpeg program, which plays the server, is not installed")
    is_udp = protocol in ("udp", "srt")
    port = port or free_port(socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM)
    address, options = PROTOCOLS[protocol]
    listening = _LISTENING.get(protocol, address).format(port=port)
    progress = path.with_suffix(".progress")
    progress.touch()
    command: Sequence[str] = [
        *(program, "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
        *("-progress", progress.as_uri(), "-stats_period", "0.1"),
        *(*options, "-i", listening, "-map", "0", "-c", "copy", "-f", "matroska", str(path)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    started = Peer(address.format(port=port), path, process, progress)
    try:
        _wait_until_listening(port, is_udp=is_udp)
        yield started
    finally:
        started.kill()
        assert process.stderr is not None
        process.stderr.close()


def _wait_until_listening(port: int, *, is_udp: bool) -> None:
    target_classes = ("udp",) if is_udp else ("tcp", "tcp6")
    wanted = f":{port:04X}"

    def listens() -> bool:
        return any(
            fields[1].endswith(wanted) and fields[3] in ("0A", "07")
            for kind in target_classes
            for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
            if (fields := line.split())
        )

    until(listens)
