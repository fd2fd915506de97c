"""Servers to send to: the ffmpeg program, which writes down what it gets."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_PATIENCE_SECONDS = 30.0


@dataclass
class Peer:
    """A server that has been started, its address, and the file it writes."""

    address: str
    path: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Let it finish its file."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_PATIENCE_SECONDS)
        self.kill()

    def end(self) -> None:
        """Tell it to finish its file, for it would wait for more."""
        self.process.terminate()
        self.stop()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
    "udp": "udp://127.0.0.1:{port}?fifo_size=100000&timeout=3000000",
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
    command: Sequence[str] = [
        *(program, "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
        *(*options, "-i", listening, "-map", "0", "-c", "copy", "-f", "matroska", str(path)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    started = Peer(address.format(port=port), path, process)
    try:
        _wait_until_listening(port, is_udp=is_udp)
        yield started
    finally:
        started.kill()
        assert process.stderr is not None
        process.stderr.close()


def _wait_until_listening(port: int, *, is_udp: bool) -> None:
    kinds = ("udp",) if is_udp else ("tcp", "tcp6")
    wanted = f":{port:04X}"
    for _ in range(round(_PATIENCE_SECONDS / 0.05)):
        for kind in kinds:
            for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] in ("0A", "07"):
                    return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens at {port}")
