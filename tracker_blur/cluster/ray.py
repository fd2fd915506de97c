"""Does tasks on the machines of a Ray cluster (extra [cluster]).

Each actor keeps its detectors loaded and does one task at a time. It streams events: numbers and
names. Input, pieces and output are files that all machines see under the same name; Ray's object
store never holds a pixel. When a machine is lost, its tasks are repeated elsewhere, and a machine
that joins gets actors, too.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from contextlib import ExitStack, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cluster.tasks import Done, Failed
from tracker_blur.errors import MissingPackageError, TrackerBlurError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker_blur.cluster.tasks import Event, Task
    from tracker_blur.settings import Settings

_LOCAL = "local"
_POLL_SECONDS = 0.5
_NO_ACTORS_SECONDS = 120.0  # how long a cluster may be without a core for an actor
_CONNECT_SECONDS = 10.0
_GPU_ENCODERS = ("_nvenc", "_qsv", "_amf")
_GPU_SHARE = 0.25  # of one GPU: its encoder serves several videos at once


class RayExecutor:
    """Actors that do tasks, one for each core of the cluster.

    Args:
        address: Of the cluster, as for `ray.init`.
        settings: Those of the run.
        prepare: Called first in each actor.

    Raises:
        MissingPackageError: Ray is not installed.
        TrackerBlurError: The cluster cannot be reached.
    """

    def __init__(self, address: str, settings: Settings, prepare: Callable[[], None]) -> None:
        self._address = address
        self._settings = settings
        self._prepare = prepare
        self._actors: list[_Actor] = []
        self._next_look = 0.0
        self._is_ours = False
        self._open = ExitStack()

    def __enter__(self) -> RayExecutor:
        with self._open as opened:
            # Ray says on standard output, where results go, what machines and workers it has lost.
            silent = opened.enter_context(Path(os.devnull).open("w"))
            opened.enter_context(redirect_stdout(silent))
            self._start()
            self._open = opened.pop_all()
        return self

    def _start(self) -> None:
        if self._address == _LOCAL:
            _protect_local_cluster()
        ray = _imported()
        try:
            if not ray.is_initialized():
                _check_answers(self._address)
                ray.init(address=self._address, log_to_driver=False, configure_logging=False)
                self._is_ours = True
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise TrackerBlurError(
                f"{self._address}: this Ray cluster cannot be reached ({reason_of(error)}): check "
                "the address, and that it runs the same versions of Ray and Python"
            ) from error
        self._add_actors()

    def __exit__(self, *_: object) -> None:
        ray = _imported()
        for actor in self._actors:
            ray.kill(actor.handle)
        self._actors = []
        if self._is_ours:
            ray.shutdown()
        self._open.close()

    @property
    def idle_count(self) -> int:
        """How many tasks could be started now."""
        return len(self._idle)

    def start(self, task: Task) -> None:
        """Start a task; some actor must be idle."""
        actor = self._idle[0]
        actor.task, actor.events = task, actor.handle.do.remote(task)

    def cancel(self, task: Task) -> None:
        """End a task; it reports no further events."""
        ray = _imported()
        for actor in [one for one in self._actors if one.task == task]:
            ray.kill(actor.handle)
            self._actors.remove(actor)
        self._add_actors()

    @property
    def _idle(self) -> list[_Actor]:
        return [one for one in self._actors if one.is_ready and one.task is None]

    def wait(self) -> list[tuple[Task, Event]]:
        """Return the events of tasks; wait until there are any, or for a moment.

        Raises:
            TrackerBlurError: There is no machine to do them.
        """
        ray = _imported()
        if time.monotonic() >= self._next_look:
            self._add_actors()
        self._look_for_ready()
        busy = {actor.events: actor for actor in self._actors if actor.events is not None}
        if not busy:
            time.sleep(_POLL_SECONDS)
            return []
        ready, _ = ray.wait(list(busy), num_returns=1, timeout=_POLL_SECONDS)
        return [said for events in ready for said in self._said(busy[events])]

    def _said(self, actor: _Actor) -> Iterator[tuple[Task, Event]]:
        """Yield the next event of an actor."""
        ray = _imported()
        task = actor.task
        assert task is not None
        event: Event
        try:
            event = ray.get(next(actor.events))
        except StopIteration:
            event = Failed("its actor said nothing about it", is_lost=True)
        except ray.exceptions.RayError as error:
            event = Failed(f"its machine was lost ({type(error).__name__})", is_lost=True)
            self._actors.remove(actor)
            self._next_look = 0.0
        if isinstance(event, Done | Failed):
            actor.task = actor.events = None
        yield task, event

    def _add_actors(self) -> None:
        """Have an actor for each core that there is now."""
        ray = _imported()
        deadline = time.monotonic() + _NO_ACTORS_SECONDS
        while True:
            cores = int(ray.cluster_resources().get("CPU", 0))
            if cores or self._actors:
                break
            if time.monotonic() > deadline:
                raise TrackerBlurError(f"{self._address}: this Ray cluster has no cores left")
            time.sleep(_POLL_SECONDS)
        for actor in [one for one in self._actors if not one.is_ready][::-1]:
            if len(self._actors) > cores:  # the machine that it was to start on is lost
                ray.kill(actor.handle)
                self._actors.remove(actor)
        while len(self._actors) < cores:
            self._actors.append(_Actor(self._new_actor()))
        self._next_look = time.monotonic() + 10 * _POLL_SECONDS

    def _look_for_ready(self) -> None:
        """Note which actors have started: one may wait for a core that is lost."""
        ray = _imported()
        starting = {one.started: one for one in self._actors if not one.is_ready}
        if starting:
            started, _ = ray.wait(list(starting), num_returns=len(starting), timeout=0)
            for reference in started:
                actor = starting[reference]
                try:
                    ray.get(reference)
                    actor.is_ready = True
                except ray.exceptions.RayError:
                    self._actors.remove(actor)

    def _new_actor(self) -> Any:
        ray = _imported()
        has_gpus = ray.cluster_resources().get("GPU", 0) > 0
        uses_gpu = has_gpus and (self._settings.encoder or "").endswith(_GPU_ENCODERS)
        remote = ray.remote(num_cpus=1, num_gpus=_GPU_SHARE if uses_gpu else 0)(PieceActor)
        return remote.remote(self._settings, self._prepare)


class _Actor:
    """An actor, whether it has started, its task (None: it is idle), and the events of that."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.started: Any = handle.has_started.remote()
        self.is_ready = False
        self.task: Task | None = None
        self.events: Any = None


class PieceActor:
    """Does tasks in a process of Ray's.

    Args:
        settings: Those of the run.
        prepare: Called first.
    """

    def __init__(self, settings: Settings, prepare: Callable[[], None]) -> None:
        import cv2

        from tracker_blur.cluster.worker import PieceWorker

        prepare()
        cv2.setNumThreads(1)
        self._worker = PieceWorker(settings)

    def has_started(self) -> bool:
        """Return that it has."""
        return True

    def do(self, task: Task) -> Iterator[Event]:
        """Do a task, and yield its events; the last is `Done` or `Failed`."""
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()

        def work() -> None:
            try:
                done = self._worker.do(task, events.put)
            except TrackerBlurError as error:
                events.put(Failed(str(error)))
            except BaseException as error:  # noqa: BLE001  # it is tried again, then reported
                events.put(Failed(f"{type(error).__name__}: {error}"))
            else:
                events.put(done)

        threading.Thread(target=work, name="piece", daemon=True).start()
        while True:
            event = events.get()
            yield event
            if isinstance(event, Done | Failed):
                return


def _protect_local_cluster() -> None:
    """Have Ray ask for a token that only this user can read: others could run programs as them.

    It does so by default, with a warning, but leaves the token open to everyone.
    """
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    with suppress(OSError):  # Ray says why, where it needs the folder
        (Path.home() / ".ray").mkdir(mode=0o700, exist_ok=True)


def _check_answers(address: str) -> None:
    """Check that something listens at a host and port: Ray itself tries for minutes.

    Raises:
        OSError: Nothing does.
    """
    host, separator, port = address.rpartition(":")
    if separator and "/" not in address and port.isdecimal():
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS):
            pass


def _imported() -> Any:
    """Return the package Ray; raises MissingPackageError."""
    try:
        import ray
    except ImportError as error:
        raise MissingPackageError("ray", "cluster", "a Ray cluster") from error
    return ray
