"""A job's process, and what it reports."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracker_blur.web.job_events import JobEvents

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.web.job_process import JobProcess

_END_SECONDS = 15.0  # longer than it takes to delete what is half-written


class RunningJob:
    """A job's process, and what it says.

    Args:
        process: The process.
        path: Its progress file.
        output: What it writes; None: nothing.

    Attributes:
        process: The process.
        output: What it writes; None: nothing.
        events: What it has said.
    """

    def __init__(self, process: JobProcess, path: Path, output: Path | None) -> None:
        self.process = process
        self.output = output
        self.events = JobEvents(path)
        self._deadline: float | None = None

    @property
    def is_ending(self) -> bool:
        """Whether the process was asked to end."""
        return self._deadline is not None

    def read(self) -> bool:
        """Read what it says; return whether anything is new. Raises OSError.

        A server that was killed may not have kept the number of a process that it had started.
        """
        has_news = self.events.read()
        if self.process.number is None and self.events.process is not None:
            self.process.number = self.events.process
            if self.is_ending:
                self.process.terminate()
        return has_news

    def end(self) -> None:
        """Ask the process to end, and kill it if it has not after a while."""
        self._deadline = time.monotonic() + _END_SECONDS
        self.process.terminate()

    def insist(self) -> None:
        """Kill the process if it should have ended by now."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.process.kill()
