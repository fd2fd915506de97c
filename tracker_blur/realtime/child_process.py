"""What another program says, kept for when it fails."""

from __future__ import annotations

import os
import tempfile

_MOST_BYTES = 1 << 20  # a program that complains of every packet would fill the disk
_TOLD_BYTES = 4096


class LastWords:
    """A place for what a process writes; no pipe: one that nobody reads would stop it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed in `close`

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._file.fileno()

    @property
    def are_any(self) -> bool:
        """Whether something was said that was not forgotten."""
        return os.fstat(self.fileno()).st_size > 0

    def forget(self) -> None:
        """Let go of what was said, where it has become much."""
        if os.fstat(self.fileno()).st_size > _MOST_BYTES:
            self._file.seek(0)  # for the process, too: both write at one position
            self._file.truncate()

    def lines(self) -> list[str]:
        """Return the newest of what was said."""
        size = os.fstat(self.fileno()).st_size
        self._file.seek(max(0, size - _TOLD_BYTES))
        return self._file.read().decode(errors="replace").strip().splitlines()

    def close(self) -> None:
        """Let go of all of it."""
        self._file.close()
