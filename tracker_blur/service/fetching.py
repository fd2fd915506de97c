"""Fetches what a request names by its URL, from hosts that the operator has allowed.

A name is looked up once, its addresses are checked, and the connection goes to one of these: a name
that leads elsewhere a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urljoin, urlsplit

from tracker_blur.errors import reason_of
from tracker_blur.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.service.addresses import AllowedHost

_LONGEST_URL = 4096
_MAX_REDIRECTS = 3
_STALL_SECONDS = 10.0  # longer than a server takes for its next bytes
_BLOCK_BYTES = 1 << 18
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = {"User-Agent": "trackblur", "Accept-Encoding": "identity"}


class _Target(NamedTuple):
    """What a URL says."""

    scheme: str
    host: AllowedHost
    port: int
    path: str

    @property
    def authority(self) -> str:
        name = f"[{self.host.name}]" if ":" in self.host.name else self.host.name
        is_usual = self.port == (443 if self.scheme == "https" else 80)
        return name if is_usual else f"{name}:{self.port}"


class Fetcher:
    """Fetches files by HTTP.

    Args:
        allowed: The hosts to fetch from; none: everything is refused.
        seconds: How long it may take until all is there.
    """

    def __init__(self, allowed: Sequence[AllowedHost], seconds: float) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open: set[_Watchdog] = set()
        self._is_closed = False

    def close(self) -> None:
        """End what is being fetched, which is then too late, and fetch no more."""
        with self._lock:
            self._is_closed = True
            for watchdog in self._open:
                watchdog.fire()

    def fetch(self, url: str, into: Writable, max_bytes: int, seconds: float | None = None) -> None:
        """Write what a URL names into a file; takes a while.

        Args:
            url: An `http` or `https` URL.
            into: The file.
            max_bytes: The most that is taken.
            seconds: How long it may take, if that is less than for other files.

        Raises:
            Problem: The URL is not allowed (403) or malformed (422), it is too long (413), or its
                server does not answer well (502) or in time (504).
            OSError: The file cannot be written.
        """
        deadline = time.monotonic() + min(self._seconds, seconds or self._seconds)
        for _ in range(_MAX_REDIRECTS + 1):
            target = self._target(url)
            with _connected(target, deadline) as (connection, watchdog), self._watched(watchdog):
                try:
                    with _ask(connection, target) as answer:
                        if answer.status not in _REDIRECTS:
                            _check(answer, target, max_bytes)
                            _copy(answer, into, max_bytes)
                            watchdog.check()
                            return
                        url = self._redirected(target, url, answer.getheader("location", ""))
                except (http.client.HTTPException, _NetworkError) as error:
                    watchdog.check()
                    raise _failed(target, "broke off") from error
        raise _failed(target, "redirects too often")

    def check(self, url: str) -> None:
        """Raise Problem for a URL that is malformed (422) or not allowed (403)."""
        self._target(url)

    @contextmanager
    def _watched(self, watchdog: _Watchdog) -> Iterator[None]:
        with self._lock:
            if self._is_closed:
                watchdog.fire()
            self._open.add(watchdog)
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(watchdog)

    def _target(self, url: str) -> _Target:
        """Return what a URL says; raises Problem for one that is not allowed."""
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise _malformed(f"has more than {_LONGEST_URL} characters, or such as must be encoded")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _malformed("has a host or a port that makes no sense") from error
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme not in ("http", "https") or not host or "\\" in url:
            raise _malformed("does not begin with http:// or https:// and a host")
        if "@" in parts.netloc:
            raise _malformed("names a user")
        if port is None:
            port = 443 if parts.scheme == "https" else 80
        for allowed in self._allowed:
            if allowed.covers(parts.scheme, host, port):
                query = f"?{parts.query}" if parts.query else ""
                return _Target(parts.scheme, allowed, port, (parts.path or "/") + query)
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "this service does not fetch from the host of this URL: send the file itself",
        )

    def _redirected(self, target: _Target, url: str, location: str) -> str:
        """Return where an answer leads to; raises Problem unless that is the same host."""
        try:
            url = urljoin(url, location)
        except ValueError as error:
            raise _failed(target, "redirects to what is no URL") from error
        new = self._target(url)
        if (new.scheme, new.host, new.port) != (target.scheme, target.host, target.port):
            raise _failed(target, "redirects to another host")
        return url


class Writable(Protocol):
    """What takes a file."""

    def write(self, data: bytes, /) -> object:
        """Take more of it."""
        ...


class _NetworkError(Exception):
    """Reading from a server failed."""


class _Watchdog:
    """Ends a connection at its deadline, whatever it waits for."""

    def __init__(self, opened: socket.socket, deadline: float, target: _Target) -> None:
        self._socket = opened
        self._target = target
        self._has_fired = False
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self.fire)
        self._timer.daemon = True
        self._timer.start()

    def check(self) -> None:
        """Raise Problem if the deadline has passed."""
        if self._has_fired:
            raise _late(self._target)

    def cancel(self) -> None:
        """Leave the connection alone."""
        self._timer.cancel()

    def fire(self) -> None:
        """End the connection now."""
        self._has_fired = True
        with suppress(OSError):  # that of TLS would first change what the reader uses
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextmanager
def _connected(
    target: _Target, deadline: float
) -> Iterator[tuple[http.client.HTTPConnection, _Watchdog]]:
    """Yield a connection to the host of a URL, and what ends it in time."""
    with closing(http.client.HTTPConnection(target.host.name, target.port)) as connection:
        connection.auto_open = 0  # it would look the name up again
        connection.sock = _socket_to(target, deadline)
        if target.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(
                connection.sock, server_hostname=target.host.name, do_handshake_on_connect=False
            )
        watchdog = _Watchdog(connection.sock, deadline, target)
        try:
            if isinstance(connection.sock, ssl.SSLSocket):
                _shake_hands(connection.sock, target, watchdog)
            yield connection, watchdog
        finally:
            watchdog.cancel()


def _socket_to(target: _Target, deadline: float) -> socket.socket:
    """Connect to the first address that answers; raises Problem."""
    try:
        addresses = target.host.addresses(target.port)
    except (OSError, UnicodeError) as error:
        raise _failed(target, "has no address") from error
    except ValueError as error:
        raise Problem(HTTPStatus.FORBIDDEN, f"{target.host.name}: {error}") from error
    problem = _late(target)
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _late(target)
        try:
            opened = socket.create_connection(address, min(left, _STALL_SECONDS))
        except OSError as error:
            problem = _failed(target, f"cannot be reached ({reason_of(error)})")
            continue
        opened.settimeout(_STALL_SECONDS)
        return opened
    raise problem


def _shake_hands(secured: ssl.SSLSocket, target: _Target, watchdog: _Watchdog) -> None:
    try:
        secured.do_handshake()
    except OSError as error:
        watchdog.check()
        raise _failed(target, f"cannot be trusted ({reason_of(error)})") from error


def _ask(connection: http.client.HTTPConnection, target: _Target) -> http.client.HTTPResponse:
    try:
        connection.request("GET", target.path, headers={**_HEADERS, "Host": target.authority})
        return connection.getresponse()
    except OSError as error:
        raise _NetworkError from error


def _check(answer: http.client.HTTPResponse, target: _Target, max_bytes: int) -> None:
    """Raise Problem for an answer that is not the whole file."""
    if answer.status != HTTPStatus.OK:
        raise _failed(target, f"answered with the status {answer.status}")
    if answer.getheader("content-encoding", "identity").lower() != "identity":
        raise _failed(target, "sent it compressed although that was not asked for")
    if answer.length is not None and answer.length > max_bytes:
        raise _too_long(max_bytes)


def _copy(answer: http.client.HTTPResponse, into: Writable, max_bytes: int) -> None:
    count = 0
    while True:
        try:
            data = answer.read(_BLOCK_BYTES)
        except OSError as error:
            raise _NetworkError from error
        if not data:
            break
        count += len(data)
        if count > max_bytes:
            raise _too_long(max_bytes)
        into.write(data)
    if answer.length:  # it is what is still to come
        raise _NetworkError


def _malformed(reason: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"url: {reason}: correct it")


def _failed(target: _Target, reason: str) -> Problem:
    return Problem(HTTPStatus.BAD_GATEWAY, f"{target.host.name}: {reason}: send the file itself")


def _late(target: _Target) -> Problem:
    return Problem(
        HTTPStatus.GATEWAY_TIMEOUT, f"{target.host.name}: takes too long: send the file itself"
    )


def _too_long(max_bytes: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the file is longer than {max_bytes} bytes"
    )
