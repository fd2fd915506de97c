"""Limits the connections of a server, so that no client can take the place of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tracker_blur.serving.limits import ServingLimits


class Connection(Protocol):
    """A connection that can be ended."""

    def abort(self) -> None:
        """End it at once."""


class Connections:
    """All open connections; used in the server's event loop only.

    Clients that have not yet sent an authorized request, authorized requests, and streams have a
    limit each. A new request takes the place of the one that is oldest, so that requests such as to
    hide everything always get through. A stream keeps its place.
    """

    def __init__(self, limits: ServingLimits) -> None:
        self._limits = limits
        self._unauthenticated: dict[Connection, None] = {}
        self._requests: dict[Connection, None] = {}
        self._streams: dict[Connection, None] = {}

    def add(self, connection: Connection) -> None:
        """Add a new connection; if they are too many, end the oldest."""
        _add(self._unauthenticated, connection, self._limits.unauthenticated)

    def authenticate(self, connection: Connection) -> None:
        """Count a connection as one of authorized requests, and as the newest of them.

        A stream that it had is over: a connection has one request at a time.
        """
        for others in (self._unauthenticated, self._requests, self._streams):
            if connection in others:
                del others[connection]
                _add(self._requests, connection, self._limits.requests)

    def begin_stream(self, connection: Connection) -> bool:
        """Count a connection as a stream if the limit permits; return whether it is one."""
        if len(self._streams) >= self._limits.streams:
            return False
        self._requests.pop(connection, None)
        self._streams[connection] = None
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        for connections in (self._unauthenticated, self._requests, self._streams):
            connections.pop(connection, None)

    def end(self) -> None:
        """End all connections."""
        for connection in [*self._unauthenticated, *self._requests, *self._streams]:
            connection.abort()


def _add(connections: dict[Connection, None], connection: Connection, limit: int) -> None:
    connections[connection] = None
    if len(connections) > limit:
        oldest = next(iter(connections))
        del connections[oldest]  # now: it may take a while to notice, and more come
        oldest.abort()
