"""What is a file, and what is none: pipes, devices, standard streams, addresses."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from tracker_blur.errors import SettingsError, SourceError

NO_FILE = (
    "is no file, and files are what is read and written here: "
    "for streams and addresses there is 'trackblur live SOURCE --to TARGET'"
)
_STANDARD_STREAM = "-"
_ADDRESS = r"\w{2,}:/"  # as a Path shows it; one letter is a drive


def is_stream(word: str) -> bool:
    """Whether a word stands for a standard stream or an address, by its look."""
    return word == _STANDARD_STREAM or re.match(_ADDRESS, word) is not None


def check_is_file(path: Path) -> None:
    """Raise SourceError for a pipe, a device or a socket, which may never end, and an address."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if is_stream(str(path)):
            raise SourceError(f"{path}: {NO_FILE}") from error
        return  # opening it will tell why
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise SourceError(f"{path}: {NO_FILE}")


def check_names_file(output: str | Path) -> None:
    """Raise SettingsError for an output that is a standard stream or an address."""
    if is_stream(str(output)):
        raise SettingsError(f"{output}: {NO_FILE}")


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; where a name is too long there is none."""
    try:
        return path.is_dir()
    except OSError:
        return False
