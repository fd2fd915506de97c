"""Does tasks in processes on this machine.

Each has a pipe of its own: one that is killed takes only its task with it, and another process
takes its place.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cluster.tasks import Done, Failed
from tracker_blur.errors import TrackerBlurError
from tracker_blur.processes import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from tracker_blur.cluster.tasks import Event, Task
    from tracker_blur.settings import Settings

_STOP_SECONDS = 5.0
_MAX_STARTS_FOR_NOTHING = 3  # processes in a row that end before they have done anything


class LocalExecutor:
    """Spawned processes that do tasks.

    Args:
        count: How many.
        settings: Those of the run.
        threads: How many threads detection and tracking may use in each.
        prepare: Called first in each process.
    """

    def __init__(
        self, count: int, settings: Settings, threads: int, prepare: Callable[[], None]
    ) -> None:
        self._arguments = settings, threads, prepare, str(Path.cwd())
        self._count = count
        self._workers: list[_Worker] = []
        self._starts_for_nothing = 0

    def __enter__(self) -> LocalExecutor:
        try:
            while len(self._workers) < self._count:
                self._workers.append(_Worker(self._arguments))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def idle_count(self) -> int:
        """How many tasks could be started now."""
        return sum(worker.task is None for worker in self._workers)

    def start(self, task: Task) -> None:
        """Start a task; some process must be idle."""
        next(worker for worker in self._workers if worker.task is None).start(task)

    def cancel(self, task: Task) -> None:
        """End a task; it reports no further events."""
        for worker in [one for one in self._workers if one.task == task]:
            worker.kill()
            self._workers[self._workers.index(worker)] = _Worker(self._arguments)

    def wait(self) -> list[tuple[Task, Event]]:
        """Return the events of tasks; wait until there are any.

        Raises:
            TrackerBlurError: No process can be started.
        """
        ready = connection.wait([worker.pipe for worker in self._workers])
        events = []
        for worker in [one for one in self._workers if one.pipe in ready]:
            task, event = worker.task, worker.receive()
            if event is None:
                event = Failed(f"its process ended ({worker.how_it_ended})", is_lost=True)
                self._replace(worker)
            else:
                self._starts_for_nothing = 0
            if isinstance(event, Done | Failed):
                worker.task = None
            if task is not None:
                events.append((task, event))
        return events

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.kill()
        self._workers = []

    def _replace(self, worker: _Worker) -> None:
        self._starts_for_nothing += 1
        if self._starts_for_nothing > _MAX_STARTS_FOR_NOTHING * self._count:
            raise TrackerBlurError(
                f"no process can redact pieces (it ended: {worker.how_it_ended}), there may be too "
                "little memory: let one process redact the whole"
            )
        self._workers[self._workers.index(worker)] = _Worker(self._arguments)


class _Worker(WorkerProcess):
    """A process and its task; None: it is idle."""

    def __init__(self, arguments: tuple[Settings, int, Callable[[], None], str]) -> None:
        super().__init__(work, *arguments)
        self.task: Task | None = None

    def start(self, task: Task) -> None:
        self.task = task
        self.send(task)

    def kill(self) -> None:
        """End the process: what it leaves half-written is deleted with the folder of pieces."""
        self.pipe.close()
        self.terminate()
        self.wait(time.monotonic() + _STOP_SECONDS)


def work(
    pipe: Connection, settings: Settings, threads: int, prepare: Callable[[], None], folder: str
) -> None:
    """Do tasks until the pipe is closed.

    Args:
        pipe: Receives each `Task`; sends each `Event`.
        settings: Those of the run.
        threads: How many threads detection and tracking may use.
        prepare: Called first.
        folder: The folder that relative names start from.
    """
    import cv2

    from tracker_blur.cluster.worker import PieceWorker

    os.chdir(folder)
    prepare()
    cv2.setNumThreads(threads)
    worker = PieceWorker(settings)
    with suppress(EOFError, OSError):  # the process that gives the tasks has gone
        while True:
            task = pipe.recv()
            try:
                done = worker.do(task, pipe.send)
            except BrokenPipeError:
                return
            except TrackerBlurError as error:
                pipe.send(Failed(str(error)))
            except Exception as error:  # noqa: BLE001  # it is tried again, then reported
                pipe.send(Failed(f"{type(error).__name__}: {error}"))
            else:
                pipe.send(done)
