"""The process of a job: it outlives the server, and the next server finds it again.

It holds a lock on a file as long as it lives. So later servers know whether it does, however
it ended, and that the number it was given still stands for it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker_blur.files.locking import FileLock
from tracker_blur.processes import python_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PRIVATE_MODE = 0o600
_TAIL_BYTES = 4096
_PROGRAM = (sys.executable, "-m", "tracker_blur")


class JobProcess:
    """A process that runs the command line, in a session of its own.

    Args:
        folder: The job's own folder, for its lock and its log.
        number: Of the process, if an earlier server started it.

    Attributes:
        number: Of the process.
        exit_code: Its own, once it has ended, if this server started it and no signal ended it.
    """

    def __init__(self, folder: Path, number: int | None = None) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "lock")
        self._log = folder / "log"
        self._is_child = False
        self.number = number
        self.exit_code: int | None = None

    def start(self, arguments: Sequence[str]) -> None:
        """Start it; raises OSError."""
        self._lock.acquire()
        try:
            flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
            log = os.open(self._log, flags, _PRIVATE_MODE)
            try:
                assert self._lock.descriptor is not None
                child = subprocess.Popen(
                    [*_PROGRAM, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder,
                    env=python_environment(),
                    start_new_session=True,
                    pass_fds=(self._lock.descriptor,),
                )
            finally:
                os.close(log)
        finally:
            self._lock.release()
        child.returncode = 0  # it may outlive this process: `is_alive` waits for it, if anyone does
        self.number, self._is_child = child.pid, True

    def is_alive(self) -> bool:
        """Return whether it still runs, or is stopped."""
        if self._is_child:  # its number is no other's until it is waited for
            assert self.number is not None
            try:
                ended, status = os.waitpid(self.number, os.WNOHANG)
                self._is_child = ended == 0
                if ended and os.WIFEXITED(status):
                    self.exit_code = os.WEXITSTATUS(status)
            except ChildProcessError:
                self._is_child = False
            return self._is_child
        return self._lock.is_held()

    def last_line(self) -> str:
        """Return the last line that it has printed; "" if there is none."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - _TAIL_BYTES))
                lines = log.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def pause(self) -> None:
        """Stop it, with all processes that it has started, until `resume`."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it."""
        self._send(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to delete what is half-written, and to end."""
        self._send(signal.SIGTERM)
        self._send(signal.SIGCONT)  # one that is stopped gets the signal only then

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.number is not None and self.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self.number, number)
