"""Gives back the real-time priority that SVT-AV1 takes when it is run as root.

It takes it for its own threads and for the one that opens it, and then starves everything else
on the machine, this program's other stages included.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")  # Linux only; elsewhere the encoder leaves priorities alone


@contextmanager
def kept_priority() -> Iterator[None]:
    """Make ordinary again each thread of this process that the block makes a real-time one."""
    before = _realtime_threads()
    try:
        yield
    finally:
        for thread in _realtime_threads() - before:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _realtime_threads() -> set[int]:
    found: set[int] = set()
    if sys.platform == "linux":
        for thread in _THREADS.iterdir():
            with suppress(ProcessLookupError):
                number = int(thread.name)
                if os.sched_getscheduler(number) in (os.SCHED_FIFO, os.SCHED_RR):
                    found.add(number)
    return found
