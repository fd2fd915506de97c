"""Child processes that work for a source or target: their pipes, stderr and end."""

from __future__ import annotations

import os
import queue
import select
import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

_LARGEST_LOG_BYTES = 1 << 20  # a program that reports every packet would fill the disk
_TAIL_BYTES = 4096
_CHUNK_BYTES = 1 << 20
_ATOMIC_BYTES = getattr(select, "PIPE_BUF", 512)  # a pipe with room takes this much at once


def end(process: subprocess.Popen[bytes], timeout_seconds: float) -> None:
    """Close the input of a process and let it end by itself; kill it after the timeout."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


class StderrTail:
    """A file for the output of a process. A pipe that is not read would block the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed in `close`

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file.fileno()

    @property
    def has_output(self) -> bool:
        """Whether there is output that was not trimmed."""
        return os.fstat(self.fileno()).st_size > 0

    def trim(self) -> None:
        """Discard the output if it has grown large."""
        if os.fstat(self.fileno()).st_size > _LARGEST_LOG_BYTES:
            self._file.seek(0)  # for the process, too: both share one position
            self._file.truncate()

    def lines(self) -> list[str]:
        """Return the last lines."""
        size = os.fstat(self.fileno()).st_size
        self._file.seek(max(0, size - _TAIL_BYTES))
        return self._file.read().decode(errors="replace").strip().splitlines()

    def close(self) -> None:
        """Close and delete the file."""
        self._file.close()


class OutputReader:
    """Reads the output of a process in a thread: Windows cannot wait for a pipe with a timeout."""

    def __init__(self, file: IO[bytes]) -> None:
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()  # b"" is the end
        self._is_over = False
        threading.Thread(
            target=self._run, args=(file.fileno(),), name="process output", daemon=True
        ).start()

    def read(self, timeout_seconds: float) -> bytes:
        """Wait for output and return all there is; b"" after the timeout, or at the end."""
        output = b""
        with suppress(queue.Empty):
            while not self._is_over:
                is_waiting = not output and timeout_seconds > 0
                chunk = self._chunks.get(is_waiting, timeout_seconds)
                self._is_over = not chunk
                output += chunk
        return output

    def _run(self, descriptor: int) -> None:
        with suppress(OSError):
            while output := os.read(descriptor, _CHUNK_BYTES):
                self._chunks.put(output)
        self._chunks.put(b"")


class PipeWriter:
    """A file to write bytes to that waits for the reader, but not forever (except on Windows).

    Args:
        descriptor: Of a pipe or a file, open for writing; the caller closes it.
        timeout_seconds: How long the reader may take to make room.
        is_shared: Whether other processes write there, too; then its blocking mode stays.
    """

    def __init__(self, descriptor: int, timeout_seconds: float, *, is_shared: bool = True) -> None:
        self._descriptor = descriptor
        self._chunk_bytes = _ATOMIC_BYTES if is_shared else _CHUNK_BYTES
        if not is_shared and hasattr(select, "poll"):
            os.set_blocking(descriptor, False)
        self._timeout_seconds = timeout_seconds
        self._failure: OSError | None = None

    @property
    def has_reader(self) -> bool:
        """Whether the pipe has a reader, as far as the system knows."""
        if not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return not any(events & ~select.POLLOUT for _, events in poll.poll(0))

    def limit_timeout(self, timeout_seconds: float) -> None:
        """Lower the timeout to this, if it is longer."""
        self._timeout_seconds = min(self._timeout_seconds, timeout_seconds)

    def write(self, data: bytes) -> int:
        """Write all data. After a failure, each further call fails at once.

        Raises:
            BrokenPipeError: When there is no reader.
            TimeoutError: When the reader is too slow.
        """
        if self._failure is not None:
            raise self._failure
        rest = memoryview(data)
        try:
            while rest:
                self._wait()
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._descriptor, rest[: self._chunk_bytes]) :]
        except OSError as error:
            self._failure = error
            raise
        return len(data)

    def _wait(self) -> None:
        if not hasattr(select, "poll"):  # on Windows the write itself waits
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        if not poll.poll(self._timeout_seconds * 1000):
            raise TimeoutError(f"nothing was read for {self._timeout_seconds:g} seconds")
