"""Temporary files next to their targets, and what killed runs left of them.

A run that is killed cannot delete its temporary file. So a run locks each one that it has open, and
the system drops the lock when the process ends, however it ends: a temporary file that is not
locked is a leftover. Where files cannot be locked (Windows, some network file systems), leftovers
stay.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked before use

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = ".trackblur-temporary-"  # names without "temporary" are those of versions without locks
_PRIVATE_MODE = 0o600
_PUBLIC_MODE = 0o666  # less what the process's umask takes away, as for any new file

_cleaned: set[Path] = set()
"""Folders that this process has searched for leftovers of earlier runs; once is enough."""


class TemporaryFile:
    """An empty, locked file in the target's folder, hidden, with the target's suffix.

    Args:
        target: the file that it may replace later.
        is_private: whether only its owner may read it.

    Attributes:
        path: where it is; not yet there before `create`.
    """

    def __init__(self, target: Path, *, is_private: bool) -> None:
        self._target = target
        self._mode = _PRIVATE_MODE if is_private else _PUBLIC_MODE
        self._descriptor: int | None = None
        self.path = self._new_path()

    def create(self) -> None:
        """Create and lock it, and remove leftovers from its folder first; raises OSError."""
        folder = self._target.parent
        if folder not in _cleaned:
            _cleaned.add(folder)
            remove_leftovers(folder)
        while True:
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, self._mode)
            if fcntl is None:
                self._unlock()  # a file that is open cannot be renamed on Windows
                return
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another run has just taken it for a leftover
                self._unlock()
            except OSError:  # this file system has no locks, so no other run can lock it either
                return
            else:
                if os.fstat(self._descriptor).st_nlink:
                    return
                self._unlock()
            self.path = self._new_path()

    def remove(self) -> None:
        """Delete and unlock it; does nothing where it was renamed, never created, or is stuck."""
        with contextlib.suppress(OSError):  # the reason why it failed matters more
            self.path.unlink()
        self._unlock()

    def _new_path(self) -> Path:
        # The name is independent of the target's, which may be as long as the file system allows.
        return self._target.with_name(f"{_PREFIX}{secrets.token_hex(6)}{self._target.suffix}")

    def _unlock(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files of killed processes from a folder."""
    if fcntl is None:
        return
    try:
        found = [
            folder / entry.name
            for entry in os.scandir(folder)
            if entry.name.startswith(_PREFIX) and entry.is_file(follow_symlinks=False)
        ]
    except OSError:  # creating a file there will fail with the reason
        return
    for path in found:
        with contextlib.suppress(OSError):
            _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    """Delete a file unless a process has locked it; raises OSError where it cannot be."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)
