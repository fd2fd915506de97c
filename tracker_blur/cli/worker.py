"""A process that redacts files which another one gives it, one at a time."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.cli.console import Console, Message, silence_libraries
from tracker_blur.cli.interruption import handle_signals, ignore_signals
from tracker_blur.errors import TrackerBlurError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection

    from tracker_blur.core.report import Progress, Report
    from tracker_blur.settings import Settings

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Task:
    """What a process needs to know to redact the files of a run.

    Attributes:
        settings: those of the run.
        options: the parsed options of `redact`.
        flags: the flag of each setting, for messages.
        folder: the folder that relative names start from.
        threads: how many threads detection and tracking may use.
    """

    settings: Settings
    options: argparse.Namespace
    flags: Mapping[str, str]
    folder: str
    threads: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The process has loaded everything; `description` says how it detects and tracks."""

    description: str


@dataclass(frozen=True, slots=True)
class Advanced:
    """The process has done this share of its file, from 0 to 1."""

    share: float


def work(pipe: Connection, task: Task) -> None:
    """Redact files until there are no more, or no one to report to.

    Args:
        pipe: receives each `Job`. Sends `Ready`, or the TrackerBlurError that prevents it; then
            `Advanced` from time to time, and the `Outcome` of each file.
        task: what to do with the files.
    """
    handle_signals()
    try:
        _work(pipe, task)
    except (KeyboardInterrupt, EOFError, OSError):  # it is to stop; or the other process is gone
        pass
    finally:
        ignore_signals()


def _work(pipe: Connection, task: Task) -> None:
    import cv2

    from tracker_blur.cli.one_by_one import OneByOne

    os.chdir(task.folder)
    silence_libraries()
    cv2.setNumThreads(task.threads)
    console = RecordingConsole(task, lambda share: pipe.send(Advanced(share)))
    try:
        files = OneByOne(task.settings, task.options, console)
    except TrackerBlurError as error:
        pipe.send(error)
        return
    pipe.send(Ready(files.description))
    while True:
        job = pipe.recv()
        outcome = files.redact_one(job, job.source.name)
        outcome.messages = console.take()
        pipe.send(outcome)


class RecordingConsole(Console):
    """Keeps messages instead of printing them, and reports progress as a share.

    Args:
        task: says which messages are wanted, and the flags that they name.
        advance: gets the share of a file that is done.
    """

    def __init__(self, task: Task, advance: Callable[[float], None]) -> None:
        super().__init__(task.options.quiet, task.flags)
        self._advance = advance
        self._messages: list[Message] = []

    def take(self) -> tuple[Message, ...]:
        """Return the messages since the last call."""
        messages, self._messages = tuple(self._messages), []
        return messages

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress]:  # noqa: ARG002  # one bar for all files
        """Report, a few times a second, the share of the file that is done."""
        last, frames = time.monotonic(), 0

        def advance(report: Report) -> None:
            nonlocal last, frames
            frames += 1
            now = time.monotonic()
            if report.expected_frames and now - last >= _PROGRESS_SECONDS:
                last = now
                self._advance(min(1.0, frames / (report.passes * report.expected_frames)))

        yield advance

    def _put(self, message: Message) -> None:
        self._messages.append(message)
