"""Room on the disk for files that arrive, reserved in advance: what was begun can be completed."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker_blur.service.problems import Problem, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_STEP_BYTES = 16 << 20  # reserved at once for a file of unknown length
_SPARE_BYTES = 256 << 20
"""What stays free on the disk, for whatever else runs on this machine."""


class Room:
    """The room that all files on their way share; used from several threads.

    Args:
        folder: On the disk that takes them.
        most_bytes: What may be stored, with what is there already.
        stored: Returns how many bytes are stored already.
    """

    def __init__(self, folder: Path, most_bytes: int, stored: Callable[[], int]) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._stored = stored
        self._lock = threading.Lock()
        self._open: set[Reservation] = set()

    @contextmanager
    def reserved(self) -> Iterator[Reservation]:
        """Yield the room of a file, none at first; in the end it is free for others."""
        reservation = Reservation(self)
        with self._lock:
            self._open.add(reservation)
        try:
            yield reservation
        finally:
            with self._lock:
                self._open.remove(reservation)

    def extend(self, reservation: Reservation, least: int, wanted: int) -> None:
        """Reserve more for a file; raises Problem if there is not even the least.

        Args:
            reservation: Its room.
            least: How much it needs in all.
            wanted: How much it gets, if there is as much.
        """
        with self._lock:
            # A file that a job takes in this moment counts twice rather than not at all: the files
            # on their way are added up first.
            others = [one for one in self._open if one is not reservation]
            promised = sum(one.size for one in others)
            to_come = sum(max(0, one.size - one.written) for one in others)
            storable = self._most_bytes - self._stored() - promised
            free = shutil.disk_usage(self._folder).free - _SPARE_BYTES - to_come
            most = min(storable, free + reservation.written)
            if least > most:
                raise no_room()
            reservation.size = min(wanted, most)


class Reservation:
    """Room for one file.

    Args:
        room: That of all.

    Attributes:
        size: How much is reserved, in bytes.
        written: How much of it the file has taken.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0
        self.written = 0

    def reserve(self, size: int) -> None:
        """Reserve this much in all; raises Problem if there is not enough. Takes a while."""
        if size >= self.size:
            self._room.extend(self, size, size)

    def is_enough(self, more_bytes: int) -> bool:
        """Return whether this much more may be written."""
        return self.written + more_bytes <= self.size

    def take(self, more_bytes: int) -> None:
        """Note that more is written, and reserve that first if need be; raises Problem."""
        if not self.is_enough(more_bytes):
            least = self.written + more_bytes
            self._room.extend(self, least, least + _STEP_BYTES)
        self.written += more_bytes


def no_room() -> Problem:
    """Return the problem of a file for which there is no room."""
    return unavailable("there is no room for this file: delete jobs that are over", 60)
