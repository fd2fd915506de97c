"""Jobs that stand still until the test has seen what a page shows meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

from tracker_blur.web import job_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_WAIT = '[ "$4" != ACTION ] || until [ -e "$0" ]; do sleep 0.05; done; exec "$@"'


def program(action: str, go: Path) -> tuple[str, ...]:
    """Return a program of jobs that waits, for this action, until there is a file."""
    script = _WAIT.replace("ACTION", action)
    return ("sh", "-c", script, str(go), *job_process._PROGRAM)  # the action follows: it is $4


def holding(action: str, go: Path) -> str:
    """Return code with which a server in another process has its jobs wait for a file."""
    return (
        "from tracker_blur.web import job_process\n"
        f"job_process._PROGRAM = {program(action, go)!r}\n"
    )


@contextmanager
def held_jobs(action: str, folder: Path) -> Iterator[Callable[[], None]]:
    """Have the program of jobs that are started in the block wait, and yield what lets them go.

    Args:
        action: Of the jobs that wait; others run.
        folder: One for the test alone.
    """
    go = folder / "go"
    with mock.patch.object(job_process, "_PROGRAM", program(action, go)):
        try:
            yield go.touch
        finally:
            go.touch()
