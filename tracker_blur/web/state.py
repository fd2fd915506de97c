"""The folder in which the page keeps its state: for its owner alone, one for each opened folder."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.files.locking import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = "TRACKBLUR_STATE"
_ID_DIGITS = 16


def path_id(*paths: Path) -> str:
    """Return what stands for a path, or for several, over restarts: 16 hexadecimal digits."""
    text = b"\0".join(os.fsencode(os.path.realpath(path)) for path in paths)
    return hashlib.sha256(text).hexdigest()[:_ID_DIGITS]


def state_folder() -> Path:
    """Return the folder for the state of all pages, in the user's own or as the variable says."""
    if given := os.environ.get(_VARIABLE):
        return Path(given).absolute()  # the processes of jobs run elsewhere
    from platformdirs import user_state_path

    return user_state_path("trackblur", appauthor=False) / "app"


class State:
    """What the page of one folder keeps on disk.

    Attributes:
        folder: Where.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / "lock")

    @classmethod
    def of(cls, root: Path) -> State:
        """Return the state of the page of a folder, and make room for it.

        Raises:
            SinkError: It cannot be written.
        """
        folder = state_folder() / path_id(root)
        make_private_folder(folder)
        return cls(folder)

    def acquire(self) -> bool:
        """Return whether no other server uses it; then it is this one's until `release`."""
        return self._lock.acquire()

    def release(self) -> None:
        """Let another server use it."""
        self._lock.release()

    def read(self, name: str, default: Any) -> Any:
        """Return what a file holds; the default where it is missing or damaged."""
        return read_json(self.folder / f"{name}.json", default)

    def read_list(self, name: str) -> list[Any]:
        """Return the list that a file holds; an empty one where it is missing or damaged."""
        value = self.read(name, [])
        return value if isinstance(value, list) else []

    def write(self, name: str, value: Any) -> None:
        """Write a file, whole or not at all."""
        write_json(self.folder / f"{name}.json", value)

    def folders(self, name: str) -> Iterator[Path]:
        """Yield the folders in one of its folders."""
        with suppress(FileNotFoundError):
            yield from sorted(path for path in (self.folder / name).iterdir() if path.is_dir())


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; raises SinkError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise SinkError(
            f"{folder}: cannot be used for what the page keeps ({reason_of(error)}): set "
            f"{_VARIABLE} to another folder"
        ) from error


def read_json(path: Path, default: Any) -> Any:
    """Return what a file holds; the default where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError):
        return default


def write_json(path: Path, value: Any) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises:
        SinkError: It cannot be written.
        ValueError: JSON has no word for a value, such as NaN.
    """
    text = json.dumps(value, allow_nan=False)
    with replacing(path, overwrite=True, is_private=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _refuse(constant: str) -> None:
    """Raise ValueError for NaN and the infinities, which Python's reader takes for JSON."""
    raise ValueError(constant)
