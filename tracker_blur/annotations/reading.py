"""Reads annotation files: lines of bounded length, and errors that name the file and the line."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tracker_blur.annotations.values import InvalidValueError
from tracker_blur.errors import TrackFileError, reason_of
from tracker_blur.files.paths import is_media

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE_BYTES = 16 << 20
"""A longer line is not of a file with one face, or some hundred frames, in each."""


@dataclass(slots=True)
class Location:
    """How far a file was read: the line, from 1; 0 if lines mean nothing."""

    line: int = 0


@contextmanager
def reading(path: Path) -> Iterator[Location]:
    """Name the file, and the line that the block keeps up to date, in errors of the block.

    Raises:
        TrackFileError: For InvalidValueError, OSError and UnicodeDecodeError.
    """
    location = Location()
    try:
        yield location
    except InvalidValueError as error:
        raise TrackFileError(f"{_where(path, location)}: {error}") from error
    except UnicodeDecodeError as error:
        if location.line > 1:
            where = _where(path, location)
            raise TrackFileError(f"{where}: is not UTF-8 text: save the file as UTF-8") from error
        if is_media(path):
            raise TrackFileError(
                f"{path}: is a video or an image, not a track file: name the one that "
                "'trackblur track' makes of it"
            ) from error
        raise TrackFileError(
            f"{path}: is not a text file in UTF-8: check that it is the right file"
        ) from error
    except OSError as error:
        reason = reason_of(error)
        raise TrackFileError(f"{path}: cannot be read ({reason}): check the name") from error


def _where(path: Path, location: Location) -> str:
    return f"{path}, line {location.line}" if location.line else str(path)


def lines(file: BinaryIO, location: Location) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, none longer than `MAX_LINE_BYTES`.

    Args:
        file: The file.
        location: Kept up to date.

    Raises:
        InvalidValueError: A line is longer.
        UnicodeDecodeError: It is no UTF-8.
    """
    while line := file.readline(MAX_LINE_BYTES):
        location.line += 1
        if len(line) == MAX_LINE_BYTES:
            raise InvalidValueError("is too long for such a file: check that it is the right one")
        yield line.decode("utf-8-sig" if location.line == 1 else "utf-8")
