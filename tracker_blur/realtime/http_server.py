"""What the web page and the metrics share: listening, reading requests, limiting connections."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_UNAUTHENTICATED, _MAX_REQUESTS, _MAX_STREAMS = 32, 64, 32  # connections
_LINGER_SECONDS = 1.0


class HttpServer(ThreadingHTTPServer):
    """Listens, and serves each connection in a thread that keeps no program from ending.

    Args:
        address: (host, port) to listen on.
        handler: Answers the requests of a connection.
        report: Called with a line when a request fails, from its thread.

    Attributes:
        connections: All that are open.

    Raises:
        OSError: It cannot listen on the address.
    """

    daemon_threads = True
    request_queue_size = 64  # a browser opens several connections at once

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[RequestHandler],
        report: Callable[[str], None],
    ) -> None:
        self.connections = Connections()
        self._report = report
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind the socket; no name server is asked for the address's name, which takes seconds."""
        socketserver.TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        self.connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.remove(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # socketserver's
        """Report errors, except for clients that disconnect."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self._report(f"a request failed ({type(error).__name__}: {error})")


class RequestHandler(BaseHTTPRequestHandler):
    """Answers requests, also those with a body, which is not read: none here has a meaning."""

    _has_body = False

    def parse_request(self) -> bool:
        """Read a request's head; after a request with a body, the connection is closed."""
        is_valid = super().parse_request()
        if is_valid and (
            any(length.strip() != "0" for length in self.headers.get_all("Content-Length", []))
            or "Transfer-Encoding" in self.headers
        ):
            self._has_body = self.close_connection = True
        return is_valid

    def finish(self) -> None:
        """Send what is left; take in a body first: else the client might lose the answer."""
        super().finish()
        if not self._has_body:
            return
        end = time.monotonic() + _LINGER_SECONDS
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER_SECONDS)
            while time.monotonic() < end and self.connection.recv(1 << 16):
                pass

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a request's address may hold the token."""


class Connections:
    """Limits the connections, so that no client can take the place of all others.

    Clients that have not yet sent an authorized request, authorized requests, and streams have a
    limit each. A new request takes the place of the one that is oldest, so that requests such as to
    hide everything always get through. A stream keeps its place.
    """

    def __init__(self) -> None:
        self._unauthenticated: dict[socket.socket, threading.Thread] = {}
        self._requests: dict[socket.socket, threading.Thread] = {}
        self._streams: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()

    def add(self, connection: socket.socket) -> None:
        """Add a connection that the current thread serves; if they are too many, end the oldest."""
        with self._lock:
            _add(self._unauthenticated, connection, _MAX_UNAUTHENTICATED)

    def authenticate(self, connection: socket.socket) -> None:
        """Count a connection as one of authorized requests, and as the newest of them."""
        with self._lock:
            for others in (self._unauthenticated, self._requests):
                if others.pop(connection, None) is not None:
                    _add(self._requests, connection, _MAX_REQUESTS)

    def begin_stream(self, connection: socket.socket) -> bool:
        """Count a connection as a stream if the limit permits; return whether it is one."""
        with self._lock:
            if len(self._streams) >= _MAX_STREAMS:
                return False
            self._requests.pop(connection, None)
            self._streams[connection] = threading.current_thread()
            return True

    def remove(self, connection: socket.socket) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            for connections in (self._unauthenticated, self._requests, self._streams):
                connections.pop(connection, None)

    def end(self, timeout_seconds: float) -> None:
        """End all connections, and wait this long for each one's thread."""
        with self._lock:
            connections = {**self._unauthenticated, **self._requests, **self._streams}
        for connection in connections:
            _shut_down(connection)
        for thread in connections.values():
            thread.join(timeout_seconds)


def _add(
    connections: dict[socket.socket, threading.Thread], connection: socket.socket, limit: int
) -> None:
    connections[connection] = threading.current_thread()
    if len(connections) > limit:
        oldest = next(iter(connections))
        del connections[oldest]  # now: its thread may take a while to notice, and more come
        _shut_down(oldest)


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
