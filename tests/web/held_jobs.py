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


@contextmanager
def held_jobs(action: str, folder: Path) -> Iterator[Callable[[], None]]:
    """Have the program of jobs that are started in the block wait, and yield what lets them go.

    Args:
        action: Of the jobs that wait; others run.
        folder: One for the test alone.
    """
    go = folder / "go"
    script = _WAIT.replace("ACTION", action)
    program = ("sh", "-c", script, str(go), *job_process._PROGRAM)  # the action follows: it is $4
    with mock.patch.object(job_process, "_PROGRAM", program):
        try:
            yield go.touch
        finally:
            go.touch()
