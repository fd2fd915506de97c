"""A screen that only a test has."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


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
    ours, theirs = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[theirs],
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    with os.fdopen(ours) as told:
        number = told.readline().strip()
    yield Screen(f":{number}", server)
    server.terminate()
    server.wait()
