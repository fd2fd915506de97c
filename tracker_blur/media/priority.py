"""Gives back the real-time priority that SVT-AV1 takes when it is run as root.

It takes it for its own threads and for the one that opened it, and then starves everything else
on the machine, this program's other stages included.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def drop_realtime() -> None:
    """Make every thread of this process an ordinary one again; Linux only, elsewhere it is one."""
    if sys.platform != "linux":
        return
    for thread in Path("/proc/self/task").iterdir():
        try:
            if os.sched_getscheduler(int(thread.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))
        except ProcessLookupError:  # it has ended meanwhile
            continue
