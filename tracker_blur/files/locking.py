"""Locks files between processes: for as long as a block lasts, or a process and its children do."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRIVATE_MODE = 0o600

if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def locked(file: BinaryIO) -> Iterator[None]:
        """Hold an exclusive lock on an open file; waits until others have let go of theirs."""
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

    def _try_lock(descriptor: int) -> bool:
        """Let everyone have the lock: here, children cannot hold one that they inherit."""
        return descriptor >= 0

else:
    import fcntl

    @contextmanager
    def locked(file: BinaryIO) -> Iterator[None]:
        """Hold an exclusive lock on an open file; waits until others have let go of theirs."""
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class FileLock:
    """A lock that one process has, and hands on to the children that inherit its descriptor.

    The system drops it when the last of these ends, however it ends. On Windows, everyone gets it.

    Args:
        path: The file; it is made where it is missing, and stays.

    Attributes:
        descriptor: Of the open file while the lock is held.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; return whether no other process has it. Raises OSError."""
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, _PRIVATE_MODE)
        if not _try_lock(descriptor):
            os.close(descriptor)
            return False
        self.descriptor = descriptor
        return True

    def release(self) -> None:
        """Give this process's descriptor up; children that inherited it keep the lock."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def is_held(self) -> bool:
        """Return whether some process has the lock; not to be called by one that has it."""
        if not self._path.exists():
            return False
        if self.acquire():
            self.release()
            return False
        return True
