"""The real program, and ffmpeg programs that send to it and receive from it."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listening_ports import is_listened_on, kind_of_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).resolve().parent
_QUIET = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
_LISTEN_SECONDS = 30.0
_END_SECONDS = 30.0


def ffmpeg() -> str:
    """Return the ffmpeg program."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise SystemExit("the program ffmpeg is not installed: install it")
    return program


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a free port of this machine."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_SENDERS = {  # source for the program, output of ffmpeg, its container and options
    "udp": ("udp://127.0.0.1:{}", "udp://127.0.0.1:{}?pkt_size=1316", "mpegts", []),
    "srt": ("srt://127.0.0.1:{}", "srt://127.0.0.1:{}?mode=listener", "mpegts", []),
    "http": ("http://127.0.0.1:{}/live", "http://127.0.0.1:{}/live", "mpegts", ["-listen", "1"]),
    "rtmp": (
        "rtmp://127.0.0.1:{}/live/in",
        "rtmp://127.0.0.1:{}/live/in",
        "flv",
        ["-listen", "1", "-flvflags", "no_duration_filesize"],
    ),
}
_RECEIVERS = {  # target for the program, input of ffmpeg, and its options
    "rtmp": ("rtmp://127.0.0.1:{}/live/out", "rtmp://127.0.0.1:{}/live/out", ["-listen", "1"]),
    "srt": ("srt://127.0.0.1:{}", "srt://127.0.0.1:{}?mode=listener", []),
    "udp": (
        "udp://127.0.0.1:{}?pkt_size=1316",
        "udp://127.0.0.1:{}?fifo_size=100000&overrun_nonfatal=1",
        [],
    ),
    "http": ("http://127.0.0.1:{}/out", "http://127.0.0.1:{}/out", ["-listen", "1"]),
}


class Sender:
    """ffmpeg, sending a clip in a loop at its own speed.

    Any thread may start, keep and stop it.

    Attributes:
        address: The source for the program.
    """

    def __init__(self, protocol: str) -> None:
        self._protocol, self._port = protocol, free_port(kind_of_socket(protocol))
        address, output, self._muxer, self._options = _SENDERS[protocol]
        self.address, self._output = address.format(self._port), output.format(self._port)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    def start(self, clip: Path, *options: str) -> None:
        """Send this clip from now on, with more options for ffmpeg's output."""
        command = [ffmpeg(), *_QUIET, "-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy"]
        command += [
            *options,
            "-f",
            self._muxer,
            *self._options,
            "-flush_packets",
            "1",
            self._output,
        ]
        with self._lock:
            self.stop()
            self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def wait_until_listening(self) -> None:
        """Wait until a client can connect, before the first one does."""
        if self._protocol != "udp":  # which sends, whether anyone receives or not
            _wait_until_listening(self._port, self._protocol)

    def keep(self, clip: Path) -> None:
        """Start it again if it has ended, as a server for one client does."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self.start(clip)

    def stop(self) -> None:
        """Kill it."""
        with self._lock:
            _kill(self._process)
            self._process = None


class Receiver:
    """ffmpeg, listening as a server and recording what it receives.

    Any thread may start, keep, freeze and stop it.

    Attributes:
        address: The target for the program.

    Args:
        finished: Called with each file that is complete.
    """

    def __init__(self, protocol: str, folder: Path, finished: Callable[[Path], None]) -> None:
        self.protocol, self._port = protocol, free_port(kind_of_socket(protocol))
        address, listen, self._options = _RECEIVERS[protocol]
        self.address = address.format(self._port)
        self._listen_address = listen.format(self._port)
        self._folder, self._finished = folder, finished
        self._count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    @property
    def _path(self) -> Path:
        return self._folder / f"{self.protocol}_{self._count}.mkv"

    def start(self) -> None:
        """Listen, and record to a new file."""
        command = [ffmpeg(), *_QUIET, *self._options, "-i", self._listen_address]
        with self._lock:
            self.stop()
            command += ["-map", "0:v", "-c", "copy", str(self._path)]
            self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def wait_until_listening(self) -> None:
        """Wait until a client can connect, before the first one does."""
        _wait_until_listening(self._port, self.protocol)

    def keep(self) -> None:
        """Listen again if it has ended."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self.start()

    def freeze(self) -> None:
        """Stop reading, without closing the connection."""
        with self._lock:
            if self._process is not None:
                self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Stop it."""
        with self._lock:
            if self._process is None:
                return
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()  # it finishes its file
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(3)
            _kill(self._process)
            self._process = None
            if self._path.exists():
                self._finished(self._path)
            self._count += 1


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process uses at one moment: MiB of memory, threads, open files, child processes."""

    memory_mib: float
    threads: int
    files: int
    children: int


def sample(pid: int) -> Sample:
    """Return what a process uses now (Linux)."""
    proc = Path(f"/proc/{pid}")
    status = dict(
        line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
    )
    children = [
        child for task in (proc / "task").iterdir() for child in _read(task / "children").split()
    ]
    return Sample(
        int(status["VmRSS"].split()[0]) / 1024,
        int(status["Threads"]),
        len(list((proc / "fd").iterdir())),
        len(children),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the thread has ended meanwhile
        return ""


class Program:
    """`trackblur live` with a detector that may be faulty.

    Attributes:
        status: The newest; the program reports it every second.
        messages: Lines on standard error.

    Args:
        arguments: For `trackblur live`.
        fault: File that controls the faulty detector.
    """

    def __init__(self, arguments: Sequence[str], fault: Path) -> None:
        command = [sys.executable, str(HERE / "faulty_detector.py"), str(fault), "live", *arguments]
        self.status: dict[str, Any] = {}
        self.messages: list[str] = []
        self.process = subprocess.Popen(
            [*command, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        pipes = self.process.stdout, self.process.stderr
        self._threads = [threading.Thread(target=self._listen, args=(pipe,)) for pipe in pipes]
        for thread in self._threads:
            thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> float | None:
        """Wait until its status is as wanted; return how long that took; None: too long."""
        started = time.monotonic()
        while time.monotonic() - started < seconds and self.is_alive:
            if self.status and wanted(self.status):
                return time.monotonic() - started
            time.sleep(0.1)
        return None

    def limit_files(self, more_bytes: int | None) -> None:
        """Limit the size of its files, as a full disk does; None: no limit."""
        size = resource.RLIM_INFINITY if more_bytes is None else more_bytes
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def sample(self) -> Sample:
        """Return what it uses now."""
        return sample(self.process.pid)

    def end(self) -> int:
        """End it; return its exit code."""
        if self.is_alive:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(self.process)
        for thread in self._threads:
            thread.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return self.process.returncode

    def _listen(self, pipe: Any) -> None:
        for line in pipe:
            text = line.decode(errors="replace").rstrip()
            if text.startswith("{"):
                with suppress(ValueError):
                    self.status = json.loads(text)
            elif text:
                self.messages.append(text)


def _wait_until_listening(port: int, protocol: str) -> None:
    """Wait; a server that never listens is reported by the program that connects to it."""
    end = time.monotonic() + _LISTEN_SECONDS
    while time.monotonic() < end and not is_listened_on(port, kind_of_socket(protocol)):
        time.sleep(0.02)


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait()
