"""A virtual screen for a test (Xvfb)."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Screen:
    """A screen: its name, as in DISPLAY, and its server process."""

    display: str
    server: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The environment for programs that use the screen."""
        return {**os.environ, "DISPLAY": self.display}


@contextmanager
def virtual_screen() -> Iterator[Screen]:
    """Start a screen; skip the test without Xvfb."""
    if shutil.which("Xvfb") is None:
        pytest.skip("the program Xvfb is not installed")
    started = until(_start_server)
    assert started is not None
    server, number = started
    try:
        yield Screen(f":{number}", server)
    finally:
        server.terminate()
        server.wait()


def _start_server() -> tuple[subprocess.Popen[bytes], str] | None:
    """Start a server, which chooses a display number; None if another took that number first."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(write_end), "-screen", "0", "1024x768x24"),
            *("-nolisten", "tcp"),
            "-r",  # no key repeat: a key that is released late is still pressed once
        ],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as output:
        number = output.readline().strip()
    if number:
        return server, number
    server.wait()
    return None
