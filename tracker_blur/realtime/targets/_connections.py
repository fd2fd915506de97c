"""The page's connections: those that are welcome stay; of strangers, only the newest."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

_MOST_STRANGERS, _MOST_GUESTS = 32, 32
_END_SECONDS = 10.0


class Connections:
    """Keeps strangers, who have asked for nothing that they may have yet, from taking all places.

    They have places of their own, where a newcomer takes that of the oldest; a guest keeps his.
    """

    def __init__(self) -> None:
        self._strangers: dict[socket.socket, threading.Thread] = {}
        self._guests: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()

    def add(self, connection: socket.socket) -> None:
        """Let a stranger in, served by the current thread; if they are many, the oldest goes."""
        with self._lock:
            self._strangers[connection] = threading.current_thread()
            if len(self._strangers) > _MOST_STRANGERS:
                _shut(next(iter(self._strangers)))

    def welcome(self, connection: socket.socket) -> bool:
        """Make a stranger a guest; return whether he is one, for which there must be a place."""
        with self._lock:
            if connection in self._strangers and len(self._guests) < _MOST_GUESTS:
                self._guests[connection] = self._strangers.pop(connection)
            return connection in self._guests

    def remove(self, connection: socket.socket) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._strangers.pop(connection, None)
            self._guests.pop(connection, None)

    def end(self) -> None:
        """End all, and wait for their threads."""
        with self._lock:
            everyone = {**self._strangers, **self._guests}
        for connection in everyone:
            _shut(connection)
        for thread in everyone.values():
            thread.join(_END_SECONDS)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
