"""A file on its way in: in a folder of its own, for its owner alone, until a job takes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tracker_blur.files.paths import is_media, why_not_read
from tracker_blur.service.problems import Problem
from tracker_blur.service.room import no_room
from tracker_blur.web.uploads import is_file_name

if TYPE_CHECKING:
    from tracker_blur.service.room import Reservation

_BLOCK_BYTES = 1 << 20
_PRIVATE_MODE = 0o600


class Arrival:
    """A file that arrives.

    Args:
        folder: In it, it gets a folder of its own.
        room: On the disk, for it.

    Attributes:
        path: The file; None: none has come yet.
        fields: The other fields of its form.
        room: The same.
    """

    def __init__(self, folder: Path, room: Reservation) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._opened: BinaryIO | None = None
        self.path: Path | None = None
        self.fields: dict[str, str] = {}
        self.room = room
        self._held = bytearray()

    @property
    def length(self) -> int:
        """How long the file is by now, with what is held in memory."""
        return self.room.written + len(self._held)

    def open(self, name: str) -> None:
        """Begin the new file; raises Problem for a name that is none."""
        if not is_file_name(name):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "name: is no name for a file: send one such as 'in.mp4'",
            )
        path = self._folder / name
        if not is_media(path):
            reason = why_not_read(path) or "no video and no image"
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{name}: is {reason}")
        path.touch(_PRIVATE_MODE, exist_ok=False)
        self._opened, self.path = path.open("wb", buffering=_BLOCK_BYTES), path

    def hold(self, data: bytes) -> bool:
        """Append in memory; return whether `write_held` comes next: for much, or to get room."""
        self._held += data
        return len(self._held) >= _BLOCK_BYTES or not self.room.is_enough(len(self._held))

    def write_held(self) -> None:
        """Append what is held in memory to the file; raises Problem if there is no room."""
        data, self._held = bytes(self._held), bytearray()
        self.write(data)

    def write(self, data: bytes) -> None:
        """Append to the file; raises Problem if there is no room."""
        assert self._opened is not None
        self.room.take(len(data))
        try:
            self._opened.write(data)
        except OSError as error:
            raise no_room() from error

    def finish(self) -> Path:
        """Put the file on the disk, and return it; raises Problem unless it has come whole."""
        if self._opened is None or self.path is None:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "there is no file: send one, as the field 'file' of a form or as the body",
            )
        self.write_held()
        try:
            self._opened.flush()
            os.fsync(self._opened.fileno())
        except OSError as error:
            raise no_room() from error
        if self.room.written == 0:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{self.path.name}: is empty")
        return self.path

    def delete(self) -> None:
        """Close the file, and delete it unless a job has taken it."""
        if self._opened is not None:
            with suppress(OSError):  # what is not on the disk goes, too
                self._opened.close()
        shutil.rmtree(self._folder, ignore_errors=True)
