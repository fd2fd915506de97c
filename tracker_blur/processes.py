"""Child processes that run Python."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def python_environment(**added: str) -> dict[str, str]:
    """Return an environment in which Python finds the packages that this process uses.

    Args:
        added: further variables.
    """
    path = os.pathsep.join(sys.path)
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", **added}


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold back signals that a terminal sends to all its processes, as one starts meanwhile.

    The new process holds them back for good: this one tells it when to stop. Here, they come later.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # starting it would let them through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class WorkerProcess:
    """A spawned process, and a pipe to it that ends when the process does.

    A copy of this process ("fork") would have the locks of threads that it does not have.

    Args:
        work: What it does, with its end of the pipe first; it can be pickled.
        arguments: The others, which can be pickled.

    Attributes:
        pipe: To the process.
    """

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self._process = context.Process(target=work, args=(other, *arguments), daemon=True)
        with signals_held():
            self._process.start()
        other.close()  # so that the end of the process is the end of the pipe

    @property
    def how_it_ended(self) -> str:
        """The signal or the exit code with which it has ended."""
        code = self._process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def send(self, message: object) -> None:
        """Send something to the process; if it has ended, `receive` will say so."""
        with suppress(OSError):
            self.pipe.send(message)

    def receive(self) -> Any:
        """Return what the process says; None if it has ended."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return None

    def terminate(self) -> None:
        """Ask the process to end now."""
        self._process.terminate()

    def wait(self, deadline: float) -> bool:
        """Wait for the end of the process, which is killed at a deadline of the monotonic clock.

        Returns:
            Whether it has ended by itself.
        """
        self._process.join(max(0.0, deadline - time.monotonic()))
        if not self._process.is_alive():
            return True
        self._process.kill()
        self._process.join()
        return False
