"""What another program says, kept for when it fails.

Starts and ends the processes that work for a target.

Writes to a pipe whose reader may stop reading.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from contextlib import suppress

_MOST_BYTES = 1 << 20  # a program that complains of every packet would fill the disk
_TOLD_BYTES = 4096


class StderrTail:
    """A place for what a process writes; no pipe: one that nobody reads would stop it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed in `close`

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._file.fileno()

    @property
    def are_any(self) -> bool:
        """Whether something was said that was not forgotten."""
        return os.fstat(self.fileno()).st_size > 0

    def forget(self) -> None:
        """Let go of what was said, where it has become much."""
        if os.fstat(self.fileno()).st_size > _MOST_BYTES:
            self._file.seek(0)  # for the process, too: both write at one position
            self._file.truncate()

    def lines(self) -> list[str]:
        """Return the newest of what was said."""
        size = os.fstat(self.fileno()).st_size
        self._file.seek(max(0, size - _TOLD_BYTES))
        return self._file.read().decode(errors="replace").strip().splitlines()

    def close(self) -> None:
        """Let go of all of it."""
        self._file.close()


_ENDING_SECONDS = 2.0


def environment() -> dict[str, str]:
    """Return one in which Python finds all packages where this process has found them."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}


def end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end by itself, for its input is over; or end it."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


_MUCH = 1 << 20
_ATOMIC = getattr(select, "PIPE_BUF", 512)  # a pipe that has room takes so many bytes at once


class PipeWriter:
    """A file to write bytes to; waits for the reader, but not for ever.

    descriptor       of a pipe or a file, open for writing; the caller closes it
    timeout_seconds  how long the reader may take to make room
    is_shared        whether other processes write there, too, so that it must stay as it is
    """

    def __init__(self, descriptor: int, timeout_seconds: float, *, is_shared: bool = True) -> None:
        self._descriptor = descriptor
        self._at_once = _ATOMIC if is_shared else _MUCH
        if not is_shared:
            os.set_blocking(descriptor, False)
        self._timeout_seconds = timeout_seconds
        self._failure: OSError | None = None

    @property
    def has_reader(self) -> bool:
        """Whether there is somebody to read, as far as the system tells."""
        if not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return not any(events & ~select.POLLOUT for _, events in poll.poll(0))

    def hurry(self, timeout_seconds: float) -> None:
        """Wait no longer than so long from now on."""
        self._timeout_seconds = min(self._timeout_seconds, timeout_seconds)

    def write(self, data: bytes) -> int:
        """Write all; raises BrokenPipeError without a reader, TimeoutError when it is too slow.

        Once it has failed, it fails at once.
        """
        if self._failure is not None:
            raise self._failure
        rest = memoryview(data)
        try:
            while rest:
                self._wait()
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._descriptor, rest[: self._at_once]) :]
        except OSError as error:
            self._failure = error
            raise
        return len(data)

    def _wait(self) -> None:
        if not hasattr(select, "poll"):  # Windows can only wait
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        if not poll.poll(self._timeout_seconds * 1000):
            raise TimeoutError(f"nothing was read for {self._timeout_seconds:g} seconds")
