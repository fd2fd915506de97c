"""Serves an application with uvicorn from a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import functools
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.serving.bounds import BoundedRequests
from tracker_blur.serving.connections import Connections
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.serving.protocol import LimitedProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Scope

    from tracker_blur.serving.bounds import Refusal

_ALL_INTERFACES = {"", "0.0.0.0", "::"}  # noqa: S104  # names, not a binding
_PORT_REFUSED = (errno.EADDRINUSE, errno.EACCES)
_BACKLOG = 64  # a browser opens several connections at once


def is_port_refused(error: OSError) -> bool:
    """Return whether a server could listen on another port; if not, its host is the problem."""
    return error.errno in _PORT_REFUSED


def refusal_of(address: tuple[str, int], error: OSError) -> SinkError:
    """Return the error about an address (host, port) that cannot be listened on."""
    host, port = address
    if is_port_refused(error):
        return SinkError(
            f"port {port}: cannot be listened on at {host} ({reason_of(error)}): choose another "
            "port"
        )
    return SinkError(
        f"is {host}, which cannot be listened on ({reason_of(error)}): choose an address of this "
        "machine, such as 127.0.0.1",
        setting="host",
    )


class HttpServer:
    """Listens from the beginning, and answers between `start` and `stop`.

    Args:
        address: (host, port) to listen on; port 0: any free one.
        report: Called with a line when a request fails, from the server's thread.
        limits: What it takes from its clients.
        is_upload: Returns whether a request's body may be as long as that of an upload.
        send_buffer_bytes: How much the system may keep for a client that is slow to read; None: as
            much as it likes.
        refusal: Answers with a status and a reason where the application does not; None: `refuse`.
        is_image: Returns whether a request's body may be as long as that of an image.

    Attributes:
        port: That it listens on.
        connections: All that are open.

    Raises:
        OSError: It cannot listen on the address.
    """

    def __init__(
        self,
        address: tuple[str, int],
        report: Callable[[str], None] = lambda _: None,
        *,
        limits: ServingLimits | None = None,
        is_upload: Callable[[Scope], bool] = lambda _: False,
        send_buffer_bytes: int | None = None,
        refusal: Refusal | None = None,
        is_image: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self._host = address[0]
        self._report = report
        self._limits = limits or ServingLimits()
        self._is_upload = is_upload
        self._refusal = refusal
        self._is_image = is_image
        self._socket = _listen(address)
        self.port = int(self._socket.getsockname()[1])
        self.connections = Connections(self._limits)
        self._protocol = functools.partial(
            LimitedProtocol,
            connections=self.connections,
            limits=self._limits,
            send_buffer_bytes=send_buffer_bytes,
        )
        self._uvicorn: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The server's address, by which others reach it, too, where it listens for them."""
        host = socket.gethostname() if self._host in _ALL_INTERFACES else self._host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/"

    @property
    def cookie(self) -> str:
        """Name of the cookie that holds the token; a browser shares cookies between ports."""
        return f"trackblur-{self.port}"

    def start(self, app: ASGIApp, name: str = "trackblur page") -> None:
        """Answer requests from now on, from a thread of this name."""
        protocol: Any = self._protocol  # makes protocols, as a class would
        config = uvicorn.Config(
            BoundedRequests(
                app, self._limits, self._is_upload, self._report, self._refusal, self._is_image
            ),
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # what fails is reported by us
            access_log=False,  # a request's address may hold the token
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=max(1, round(self._limits.idle_seconds)),
            timeout_graceful_shutdown=max(1, round(self._limits.stop_seconds)),
            h11_max_incomplete_event_size=self._limits.head_bytes,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(self._uvicorn,), name=name)
        self._thread.daemon = True
        self._thread.start()

    def stop(self) -> None:
        """Close the socket and all connections, and wait for the thread."""
        thread, self._thread = self._thread, None
        if thread is None or self._uvicorn is None:
            self._socket.close()
            return
        self._uvicorn.should_exit = True
        thread.join(self._limits.stop_seconds)
        while thread.is_alive():  # some answer does not end
            if self._loop is not None:
                with suppress(RuntimeError):  # it has ended just now
                    self._loop.call_soon_threadsafe(self.connections.end)
            thread.join(self._limits.stop_seconds)

    def _run(self, server: uvicorn.Server) -> None:
        asyncio.run(self._serve(server))

    async def _serve(self, server: uvicorn.Server) -> None:
        self._loop = asyncio.get_running_loop()
        await server.serve(sockets=[self._socket])


def _listen(address: tuple[str, int]) -> socket.socket:
    """Return a socket that listens, without asking a name server for names of addresses."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    # asyncio sends small answers at once only where it knows that this is TCP: else each waits
    # 40 ms for the client's acknowledgement.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened
