"""Names of a recording's files: one after the other, never one that exists."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

from tracker_blur.errors import SinkError


class WholeFile(io.FileIO):
    """A file that has all it was given at once: a process that is killed loses nothing.

    When there is no space left, it ends where it was whole last, for players to read to the end.
    """

    _failure: OSError | None = None
    _whole = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes is all PyAV writes
        """Write all; raises OSError when there is no space for it, and ever after."""
        if self._failure is not None:
            raise self._failure
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[super().write(rest) or 0 :]
        except OSError as error:
            self._failure = error
            raise
        return len(data)

    def mark_whole(self) -> None:
        """Take note that what was written until now can be read."""
        self._whole = self.tell()

    def close(self) -> None:
        """Close the file, without what was written in part."""
        if not self.closed and self._failure is not None:
            self.truncate(self._whole)
        super().close()


class Parts:
    """The files of one recording: NAME.mp4, or NAME-0001.mp4 and so on.

    is_numbered  whether the first has a number, too
    overwrite    replace files that exist
    """

    def __init__(self, path: Path, *, is_numbered: bool, overwrite: bool) -> None:
        self._path = path
        self._is_numbered = is_numbered
        self._overwrite = overwrite
        self._number = 0
        if is_numbered and not overwrite:
            self._number = _last_number(path)

    def replaces(self) -> bool:
        """Return whether the first file is to replace one, and may."""
        first = self._path.with_name(self._name_of(1))
        is_replaceable = os.access(first, os.W_OK) and first.is_file()
        return self._overwrite and self._number == 0 and is_replaceable

    def new(self) -> WholeFile:
        """Create the next file.

        A recording that is named by one name takes no other for its first file, where one exists.
        Raises SinkError when no file can be made.
        """
        is_first = self._number == 0
        while True:
            self._number += 1
            path = self._name()
            if _is_no_file(path):
                raise SinkError(f"{path}: is no file: choose another name")
            try:
                return WholeFile(path, "w" if self._overwrite else "x")
            except FileExistsError as error:
                if is_first and not self._is_numbered:
                    self._number = 0
                    raise SinkError(
                        f"{path}: exists already: choose another name, or --overwrite"
                    ) from error
            except OSError as error:
                self._number -= 1
                raise SinkError(
                    f"{path}: cannot be made ({(error.strerror or str(error)).lower()}): "
                    "choose another place"
                ) from error

    def _name(self) -> Path:
        return self._path.with_name(self._name_of(self._number))

    def _name_of(self, number: int) -> str:
        if number == 1 and not self._is_numbered:
            return self._path.name
        return f"{self._path.stem}-{number:04}{self._path.suffix}"


def _is_no_file(path: Path) -> bool:
    """Return whether it is a pipe or the like, which would wait for its reader."""
    with suppress(OSError):  # making it will tell why
        return path.exists() and not path.is_file()
    return False


def _last_number(path: Path) -> int:
    numbers = [0]
    for other in path.parent.glob("*"):
        stem, _, number = other.stem.rpartition("-")
        if (stem, other.suffix) == (path.stem, path.suffix) and number.isdecimal():
            numbers.append(int(number))
    return max(numbers)
