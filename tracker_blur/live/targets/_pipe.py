"""Writes to a pipe whose reader may stop reading."""

from __future__ import annotations

import os
import select

_ATOMIC = getattr(select, "PIPE_BUF", 512)  # a pipe that has room takes so many bytes at once


class PipeWriter:
    """A file to write bytes to; waits for the reader, but not for ever.

    descriptor       of a pipe or a file, open for writing; the caller closes it
    timeout_seconds  how long the reader may take to make room
    """

    def __init__(self, descriptor: int, timeout_seconds: float) -> None:
        self._descriptor = descriptor
        self._timeout_seconds = timeout_seconds
        self._failure: OSError | None = None

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
                rest = rest[os.write(self._descriptor, rest[:_ATOMIC]) :]
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
