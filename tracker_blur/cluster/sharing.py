"""Shares one executor among files that are redacted at once, each in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker_blur.cluster.tasks import Done, Failed
from tracker_blur.errors import TrackerBlurError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.cluster.redact import Executor
    from tracker_blur.cluster.tasks import Event, Task

_POLL_SECONDS = 0.2


class SharedExecutor:
    """Starts the tasks of all lanes in turn, and passes on their events.

    Args:
        executor: Does the tasks; used by one thread of this object's alone.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Task, Lane]] = deque()
        self._owners: dict[Task, Lane] = {}
        self._cancelled: list[Task] = []
        self._ending: BaseException | None = None
        self._lanes: list[Lane] = []
        self._thread = threading.Thread(target=self._run, name="tasks", daemon=True)

    def __enter__(self) -> SharedExecutor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(KeyboardInterrupt())
        self._thread.join()

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """Yield what does the tasks of one file."""
        lane = Lane(self)
        with self._changed:
            self._lanes.append(lane)
        try:
            yield lane
        finally:
            with self._changed:
                self._lanes.remove(lane)
                self._waiting = deque(one for one in self._waiting if one[1] is not lane)
                self._cancelled += [task for task, one in self._owners.items() if one is lane]
                self._changed.notify()

    def end(self, error: BaseException) -> None:
        """Raise this error in all threads that wait for tasks, now or later."""
        with self._changed:
            self._ending = self._ending or error
            self._changed.notify_all()

    def add(self, task: Task, lane: Lane) -> None:
        """Start a task when it is its turn."""
        with self._changed:
            self._waiting.append((task, lane))
            self._changed.notify()

    def cancel(self, task: Task) -> None:
        """End a task."""
        with self._changed:
            self._waiting = deque(one for one in self._waiting if one[0] != task)
            if task in self._owners:
                self._cancelled.append(task)

    def has_waiting(self, lane: Lane) -> bool:
        """Return whether a task of a lane has not been started yet."""
        with self._changed:
            return any(one is lane for _, one in self._waiting)

    def check(self) -> None:
        """Raise the error that ends everything, if there is one."""
        if self._ending is not None:
            raise self._ending

    def _run(self) -> None:
        try:
            while self._ending is None:
                self._step()
        except TrackerBlurError as error:
            self.end(error)

    def _step(self) -> None:
        """Start what can be started, and pass on events."""
        with self._changed:
            for task in self._cancelled:
                if self._owners.pop(task, None) is not None:
                    self._executor.cancel(task)
            self._cancelled = []
            while self._waiting and self._executor.idle_count:
                task, lane = self._waiting.popleft()
                self._owners[task] = lane
                self._executor.start(task)
            if not (self._owners or self._waiting):
                self._changed.wait(_POLL_SECONDS)
                return
        for task, event in self._executor.wait():
            with self._changed:
                owner = self._owners.get(task)
                if isinstance(event, Done | Failed):
                    self._owners.pop(task, None)
            if owner is not None:
                owner.events.put((task, event))


class Lane:
    """An executor for one file, which has at most one task that waits for its turn.

    Attributes:
        events: Those of its tasks.
    """

    def __init__(self, shared: SharedExecutor) -> None:
        self._shared = shared
        self.events: queue.SimpleQueue[tuple[Task, Event]] = queue.SimpleQueue()

    @property
    def idle_count(self) -> int:
        """How many tasks could be started now."""
        return 0 if self._shared.has_waiting(self) else 1

    def start(self, task: Task) -> None:
        """Start a task when it is its turn."""
        self._shared.add(task, self)

    def cancel(self, task: Task) -> None:
        """End a task; it reports no further events."""
        self._shared.cancel(task)

    def wait(self) -> list[tuple[Task, Event]]:
        """Return the events of tasks; wait until there are any, or for a moment."""
        self._shared.check()
        try:
            return [self.events.get(timeout=_POLL_SECONDS)]
        except queue.Empty:
            return []
