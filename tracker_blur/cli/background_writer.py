"""Writes messages in a thread of its own, so that a stream that blocks holds up nothing else."""

from __future__ import annotations

import io
import os
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_LONGEST_QUEUE = 1000  # messages; further ones are lost


class BackgroundWriter:
    """Queues messages for one stream and writes them in order.

    Args:
        stream: Such as standard error. A pipe that no one reads blocks, and so does a terminal
            that is paused (Ctrl-S).
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._queue: queue.Queue[str | None] = queue.Queue(_LONGEST_QUEUE)
        self._thread = threading.Thread(target=self._run, name="messages", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Write a text soon; if too many wait already, it is lost."""
        with suppress(queue.Full):
            self._queue.put_nowait(text)

    def close(self, timeout_seconds: float) -> bool:
        """Wait until everything is written, but not for longer; return whether it is."""
        with suppress(queue.Full):
            self._queue.put(None, timeout=timeout_seconds)
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (text := self._queue.get()) is not None:
            with suppress(OSError, ValueError):  # a full disk, or the stream was closed
                _write(self._stream, text)


def _write(stream: TextIO, text: str) -> None:
    """Write past the stream's buffer, whose lock a blocked thread would hold at the exit."""
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:  # a stream of Python's own
        stream.write(text)
        return
    rest = text.encode(errors="replace")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
