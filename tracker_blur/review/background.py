"""Work of a review that must not delay frames."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

_NICENESS = 10


def step_back() -> None:
    """Lower the priority of this thread; on Linux, each has a niceness of its own."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
