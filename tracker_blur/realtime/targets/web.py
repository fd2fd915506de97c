"""A web page with the redacted video and controls: web, web:PORT or web:HOST:PORT."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError, SinkError, reason_of
from tracker_blur.realtime.targets._page_server import LivePage, Preview, is_page
from tracker_blur.serving.access import AuthorizedRequests
from tracker_blur.serving.authorization import RequestAuthorization
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.serving.server import HttpServer, is_port_refused

if TYPE_CHECKING:
    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
    from tracker_blur.realtime.targets import TargetContext

_TOKEN_BYTES = 16
_SEND_BUFFER_BYTES = 1 << 18  # small, so that a slow client does not see old frames


def make(text: str, context: TargetContext) -> WebPageTarget:
    """Return the target; raises SettingsError if there is no valid address to listen on."""
    address = text.partition(":")[2] or context.live.listen
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or context.live.listen.rpartition(":")[0].strip("[]")
    if not (port.isdecimal() and int(port) < 65_536):
        raise SettingsError(
            f"{text}: '{address}' is not an address to listen on: write HOST:PORT or PORT"
        )
    return WebPageTarget(text, host, int(port), context)


class WebPageTarget:
    """Serves the redacted video, the status and the controls to browsers.

    By default it serves this machine only. Every client needs a token. Slow clients get fewer
    frames and delay no one. Frames are compressed only while someone watches.

    `open` raises SinkError if the port is taken or the address does not belong to this machine.

    Attributes:
        url: Of the page, with the token; known once it is open.
    """

    is_reached = True

    def __init__(self, name: str, host: str, port: int, context: TargetContext) -> None:
        self.name = name
        self.url = ""
        self._host, self._port = host, port
        self._context = context
        self._token = context.live.token or secrets.token_urlsafe(_TOKEN_BYTES)
        self._preview = Preview()
        self._server: HttpServer | None = None

    def open(self, format: Format) -> None:
        """Start the server."""
        self._preview = Preview()
        context, timing = self._context, self._context.live.timing
        try:
            server = HttpServer(
                (self._host, self._port),
                lambda text: context.announce(f"web page: {text}"),
                limits=ServingLimits(
                    client_timeout_seconds=timing.client_timeout_seconds,
                    idle_seconds=timing.client_timeout_seconds,
                    stop_seconds=timing.end_connections_seconds,
                ),
                send_buffer_bytes=_SEND_BUFFER_BYTES,
            )
        except OSError as error:
            is_port = is_port_refused(error)
            choice = "another port, as in web:8643" if is_port else "one of this machine"
            raise SinkError(
                f"{self.name}: cannot listen on {self._host}:{self._port} ({reason_of(error)}): "
                f"choose {choice}"
            ) from error
        authorization = RequestAuthorization(self._host, self._token)
        page = LivePage(self._preview, context)
        server.start(AuthorizedRequests(page, authorization, server.cookie, is_page))
        self._server, self.url = server, f"{server.url}{authorization.query}"
        self._tell_address()

    def _tell_address(self) -> None:
        """Report the page's address; a token that the user gave stays out of all messages."""
        if self._context.live.token is None:
            self._context.announce(f"{self.name}: open {self.url} in a browser")
        else:
            address = self.url.partition("?")[0]
            self._context.inform(f"{self.name}: open {address}?token=TOKEN with your token")

    def show(self, delivery: Delivery) -> None:
        """Offer a frame to the clients."""
        self._preview.show(delivery)

    def play(self, audio: AudioChunk) -> None:
        """Ignore audio."""

    def close(self) -> None:
        """Stop the server and close all connections."""
        server, self._server = self._server, None
        self._preview.end()
        if server is not None:
            server.stop()
