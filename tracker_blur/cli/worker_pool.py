"""Redacts many files at once, each in a process of its own.

Messages, the summary and the exit code are those of a run one by one: what became of a file is
passed on when all files before it are done. Each process has a pipe of its own, so one that is
killed, whatever it was doing, takes only its file with it.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.console import Message
from tracker_blur.cli.outcome import Outcome
from tracker_blur.cli.worker import Advanced, Ready, Task, work
from tracker_blur.cli.worker_count import core_count
from tracker_blur.errors import SinkError, TrackerBlurError
from tracker_blur.files.jobs import TargetFolders
from tracker_blur.files.temporaries import remove_leftovers
from tracker_blur.processes import WorkerProcess

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from tracker_blur.cli.console import Console
    from tracker_blur.files.jobs import Job
    from tracker_blur.settings import Settings

_STOP_SECONDS = 10.0  # longer than it takes to delete what is half-written


class WorkerPool:
    """Processes that redact files. A file that fails, or ends its process, stops no other.

    Args:
        count: how many processes.
        settings: those of the run.
        options: the parsed options of `redact`.
        console: prints what happens.
    """

    def __init__(
        self, count: int, settings: Settings, options: argparse.Namespace, console: Console
    ) -> None:
        threads = max(1, core_count() // count)
        self._task = Task(settings, options, console.flags, str(Path.cwd()), threads)
        self._count = count
        self._console = console
        self._workers: list[_Worker] = []

    def __enter__(self) -> WorkerPool:
        try:
            for _ in range(self._count):
                self._workers.append(_Worker(self._task))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def description(self) -> str:
        """One line about how faces are detected and tracked; waits for a process to be ready.

        Raises:
            TrackerBlurError: a detector cannot be loaded, or no process can be started.
        """
        while self._workers:
            for worker in self._wait():
                answer = worker.receive()
                if isinstance(answer, Ready):
                    return answer.description
                if isinstance(answer, TrackerBlurError):
                    raise answer
                self._workers.remove(worker)
        raise TrackerBlurError(
            "no process for the files can be started, there may be too little memory: redact them "
            "one by one with --jobs 1"
        )

    def redact(self, jobs: Sequence[Job], add: Callable[[Outcome], None]) -> None:
        """Redact these files, and call `add` with the outcome of each, in their order."""
        run = _Run(jobs, add)
        folders = TargetFolders()
        with self._console.files_progress(len(jobs)) as show:
            try:
                while not run.is_over:
                    self._start_waiting(run, folders)
                    for worker in self._wait():
                        self._receive(worker, run)
                    show(run.done_count, sum(worker.share for worker in self._workers))
            except KeyboardInterrupt:
                self.close()
                run.interrupt()
                raise
            finally:
                folders.remove_empty()

    def close(self) -> None:
        """Stop the processes; those that are redacting delete what is half-written."""
        for worker in self._workers:
            worker.stop()
        deadline = time.monotonic() + _STOP_SECONDS
        for worker in self._workers:
            if not worker.wait(deadline):
                worker.clean_up()
        self._workers = []

    def _wait(self) -> list[_Worker]:
        """Return the processes that have something to say, or have ended; wait for one."""
        ready = connection.wait([worker.pipe for worker in self._workers])
        return [worker for worker in self._workers if worker.pipe in ready]

    def _start_waiting(self, run: _Run, folders: TargetFolders) -> None:
        """Give each idle process a file."""
        if not self._workers:
            run.fail_waiting("no process for it can be started: redact it alone, with --jobs 1")
        for worker in self._workers:
            if worker.index is None and (started := run.start_next()) is not None:
                index, job = started
                # Here, because no process may remove a folder that another one is about to use.
                with suppress(SinkError):  # the process meets the same error, and reports it
                    folders.create(job.target)
                worker.start(index, job)

    def _receive(self, worker: _Worker, run: _Run) -> None:
        answer = worker.receive()
        if isinstance(answer, Advanced):
            worker.share = answer.share
        elif isinstance(answer, Outcome):
            run.end(worker.take_index(), answer)
        elif not isinstance(answer, Ready):  # it has ended
            self._workers.remove(worker)
            worker.clean_up()
            if worker.index is not None:
                reason = (
                    f"the process that redacted it ended ({worker.how_it_ended}), there may be too "
                    "little memory: redact it alone, with --jobs 1"
                )
                if isinstance(answer, TrackerBlurError):
                    reason = self._console.text(answer)
                run.fail(worker.take_index(), reason)
                if run.has_waiting:
                    self._workers.append(_Worker(self._task))


class _Run:
    """What happened to the files so far; passes it on in the order of the files."""

    def __init__(self, jobs: Sequence[Job], add: Callable[[Outcome], None]) -> None:
        self._jobs = jobs
        self._add = add
        self._waiting = deque(range(len(jobs)))
        self._started: set[int] = set()
        self._outcomes: dict[int, Outcome] = {}
        self._added = 0

    @property
    def is_over(self) -> bool:
        return self._added == len(self._jobs)

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    @property
    def done_count(self) -> int:
        return self._added + len(self._outcomes)

    def start_next(self) -> tuple[int, Job] | None:
        """Return the next file and its place in the order, if there is one."""
        if not self._waiting:
            return None
        index = self._waiting.popleft()
        self._started.add(index)
        return index, self._jobs[index]

    def end(self, index: int, outcome: Outcome) -> None:
        self._outcomes[index] = outcome
        while self._added in self._outcomes:
            outcome = self._outcomes.pop(self._added)
            self._added += 1
            self._add(outcome)

    def fail(self, index: int, reason: str) -> None:
        source = self._jobs[index].source_name
        text = f"{source}: {reason}"
        self.end(index, Outcome(source, (Message.of("error", text),), failure=text))

    def fail_waiting(self, reason: str) -> None:
        while (started := self.start_next()) is not None:
            self.fail(started[0], reason)

    def interrupt(self) -> None:
        """Pass on what is done, and what was being done."""
        for index in range(self._added, len(self._jobs)):
            if index in self._outcomes:
                self._add(self._outcomes[index])
            elif index in self._started:
                self._add(Outcome.interrupted(self._jobs[index].source_name))


class _Worker(WorkerProcess):
    """A process and the file that it is redacting.

    Attributes:
        index: the place of its file in the order; None: it is idle.
        job: its file; the last one if it is idle.
        share: how much of the file is done.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(work, task)
        self.index: int | None = None
        self.job: Job | None = None
        self.share = 0.0

    def start(self, index: int, job: Job) -> None:
        self.index, self.job, self.share = index, job, 0.0
        self.send(job)

    def take_index(self) -> int:
        """Return the place of the file, and be idle."""
        assert self.index is not None
        index, self.index, self.share = self.index, None, 0.0
        return index

    def stop(self) -> None:
        """Let the process end: at once if it is idle, else when it has cleaned up."""
        if self.index is not None:
            self.terminate()
        self.pipe.close()

    def clean_up(self) -> None:
        """Delete what the process could not delete: it has been killed."""
        if self.job is not None:
            for folder in {self.job.target.parent, self.job.source.parent}:
                remove_leftovers(folder)
