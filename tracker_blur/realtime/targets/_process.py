"""Starts and ends the processes that work for a target."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

_ENDING_SECONDS = 2.0


def environment() -> dict[str, str]:
    """Return one in which Python finds all packages where this process has found them."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}


def end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end by itself, for its input is over; or end it."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
