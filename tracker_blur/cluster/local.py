"""Does tasks in processes on this machine.

Each has a pipe of its own, as in `cli/worker_pool.py`: one that is killed takes only its task with
it, and another process takes its place.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing import connection
from typing import TYPE_CHECKING

from tracker_blur.cluster.tasks import Done, Failed
from tracker_blur.errors import TrackerBlurError
from tracker_blur.processes import signals_held

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from tracker_blur.cluster.tasks import Event, Task
    from tracker_blur.settings import Settings

_STOP_SECONDS = 5.0
_MAX_STARTS_FOR_NOTHING = 3  # processes in a row that end before they have done anything


class LocalExecutor:
    """Processes that do tasks, started afresh.

    Args:
        count: How many.
        settings: Those of the run.
        threads: How many threads detection and tracking may use in each.
        prepare: Called first in each process.
    """

    def __init__(
        self, count: int, settings: Settings, threads: int, prepare: Callable[[], None]
    ) -> None:
        self._arguments = settings, threads, prepare, os.getcwd()  # noqa: PTH109  # a string
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
        """End a task; nothing more is said about it."""
        for worker in [one for one in self._workers if one.task == task]:
            worker.kill()
            self._workers[self._workers.index(worker)] = _Worker(self._arguments)

    def wait(self) -> list[tuple[Task, Event]]:
        """Return what is said about tasks; wait until something is.

        Raises:
            TrackerBlurError: No process can be started.
        """
        ready = connection.wait([worker.pipe for worker in self._workers])
        events = []
        for worker in [one for one in self._workers if one.pipe in ready]:
            task, event = worker.task, worker.receive()
            if event is None:
                event = Failed(worker.how_it_ended, is_lost=True)
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
                f"no process can redact pieces ({worker.how_it_ended}), there may be too little "
                "memory: let one process redact the whole"
            )
        self._workers[self._workers.index(worker)] = _Worker(self._arguments)


class _Worker:
    """A process, its pipe, and its task; None: it is idle."""

    def __init__(self, arguments: tuple[Settings, int, Callable[[], None], str]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.task: Task | None = None
        self._process = context.Process(target=work, args=(other, *arguments), daemon=True)
        with signals_held():
            self._process.start()
        other.close()  # so that the end of the process is the end of the pipe

    @property
    def how_it_ended(self) -> str:
        code = self._process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its process ended ({how})"

    def start(self, task: Task) -> None:
        self.task = task
        with suppress(OSError):  # it has ended, and will be found so
            self.pipe.send(task)

    def receive(self) -> Event | None:
        """Return what the process says; None if it has ended."""
        try:
            event: Event = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return None
        return event

    def kill(self) -> None:
        """End the process: what it leaves half-written is deleted with the folder of pieces."""
        self.pipe.close()
        self._process.terminate()
        self._process.join(_STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def work(
    pipe: Connection, settings: Settings, threads: int, prepare: Callable[[], None], folder: str
) -> None:
    """Do tasks until there is no one to give any.

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
