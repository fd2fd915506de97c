"""Child processes that run Python."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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
