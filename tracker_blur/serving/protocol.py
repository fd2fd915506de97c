"""HTTP/1.1 over one connection: uvicorn's, with limits that it does not have."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import MutableMapping

    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from tracker_blur.serving.connections import Connections
    from tracker_blur.serving.limits import ServingLimits

_KEY = "trackblur.connection"


class LimitedProtocol(H11Protocol):
    """Ends connections whose request does not arrive in time, and those that are too many.

    Args:
        config: Of uvicorn.
        server_state: The same.
        app_state: The same.
        connections: All of the server.
        limits: Of the server.
        send_buffer_bytes: How much the system may keep for a client that is slow to read; None: as
            much as it likes.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connections: Connections,
        limits: ServingLimits,
        send_buffer_bytes: int | None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, _KEY: self}, _loop)
        self._all = connections
        self._limits = limits
        self._send_buffer_bytes = send_buffer_bytes
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # TCP alone is served
    ) -> None:
        """Begin."""
        super().connection_made(transport)
        if self._send_buffer_bytes is not None:
            opened = transport.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer_bytes)
        self._all.add(self)
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._all.remove(self)
        self._stop_expecting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            if self._deadline is None:  # the first bytes of another request
                self._expect_request()
        else:
            self._stop_expecting()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self.transport.is_closing()

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def authenticate(self) -> None:
        """Count as a connection with authorized requests."""
        self._all.authenticate(self)

    def begin_stream(self) -> bool:
        """Count as a stream if there is room; return whether it is one."""
        return self._all.begin_stream(self)

    def _expect_request(self) -> None:
        seconds = self._limits.client_timeout_seconds
        self._deadline = self.loop.call_later(seconds, self.abort)

    def _stop_expecting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def connection_of(scope: MutableMapping[str, Any]) -> LimitedProtocol:
    """Return the connection of a request."""
    connection = scope["state"][_KEY]
    assert isinstance(connection, LimitedProtocol)
    return connection
