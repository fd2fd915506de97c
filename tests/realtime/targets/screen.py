"""A screen that only a test has."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.waiting import until


@dataclass(frozen=True)
class Screen:
    """Its name, as in DISPLAY, and the process that is behind it."""

    display: str
    server: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self.display}


@contextmanager
def virtual_screen() -> Iterator[Screen]:
    """Start one; skip without Xvfb."""
    if shutil.which("Xvfb") is None:
        pytest.skip("the program Xvfb is not installed")
    server, number = until(_started)
    try:
        yield Screen(f":{number}", server)
    finally:
        server.terminate()
        server.wait()


def _started() -> tuple[subprocess.Popen[bytes], str] | None:
    """Start a server at a number that it chooses; None: another one took that number first."""
    ours, theirs = os.pipe()
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(theirs), "-screen", "0", "1024x768x24", "-nolisten", "tcp"),
            "-r",  # a key whose release comes late is still pressed once
        ],
        pass_fds=[theirs],
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    with os.fdopen(ours) as told:
        number = told.readline().strip()
    if number:
        return server, number
    server.wait()
    return None
