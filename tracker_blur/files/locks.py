"""Locks on files: the system drops them when the process that has them ends, however it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked before use

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE_MODE = 0o600


class FileLock:
    """A lock that one process has, and hands on to the children that inherit its descriptor.

    Where files cannot be locked (Windows), everyone gets it.

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
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
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
        if not self._path.exists() or not self.acquire():
            return self._path.exists()
        self.release()
        return False
