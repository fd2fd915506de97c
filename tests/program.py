"""The program with the signal handling that it has in a terminal.

Programs that are started in the background ignore interrupts and hang-ups.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from pathlib import Path

_MAIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
from tracker_blur.cli.main import main
main()
"""


def interruptible_program(before: str) -> tuple[str, ...]:
    """Return `INTERRUPTIBLE_PROGRAM` with code that it runs first."""
    return sys.executable, "-c", before + _MAIN


INTERRUPTIBLE_PROGRAM = interruptible_program("")
"""The command to which a test adds the program's arguments."""


@contextmanager
def server(
    tmp_path: Path, address: re.Pattern[str], *arguments: str | Path, before: str = ""
) -> Iterator[tuple[subprocess.Popen[str], re.Match[str]]]:
    """Run a command that serves, with a state folder of its own.

    Args:
        tmp_path: Where that folder is made.
        address: Matches the first line of standard error.
        arguments: The program's.
        before: Code that the program runs first.

    Yields:
        The process, and the match; it is killed if it has not ended by itself.
    """
    process = subprocess.Popen(
        [*interruptible_program(before), *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TRACKBLUR_STATE": str(tmp_path / "state")},
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline().rstrip("\n")
        match = address.match(line)
        assert match, line
        yield process, match
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
