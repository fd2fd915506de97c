"""A page in the browser: web, web:PORT or web:HOST:PORT."""

from __future__ import annotations

import errno
import secrets
import threading
from contextlib import suppress

from tracker_blur.errors import SettingsError, SinkError, reason_of
from tracker_blur.realtime.access import RequestAuthorization, is_loopback
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.targets import Context
from tracker_blur.realtime.targets._page_server import PageServer, Preview

_TOKEN_BYTES = 16


def make(text: str, context: Context) -> Page:
    """Return the page; raises SettingsError when the place to listen at makes no sense."""
    place = text.partition(":")[2] or context.live.listen
    host, _, port = place.rpartition(":")
    host = host.strip("[]") or context.live.listen.rpartition(":")[0].strip("[]")
    if not (port.isdecimal() and int(port) < 65_536):
        raise SettingsError(f"{text}: '{place}' is no place to listen: write HOST:PORT or PORT")
    return Page(text, host, int(port), context)


class Page:
    """The redacted picture, how the session fares, and buttons, served to browsers.

    Only this machine is served, unless another address is listened at; then each visitor needs a
    token. Slow visitors get fewer pictures and hold up nobody. Pictures are compressed only while
    somebody looks.

    url  where to look, with the token if there is one; known once it is open

    Raises SinkError on opening, when the port is taken or the address not this machine's.
    """

    is_reached = True

    def __init__(self, name: str, host: str, port: int, context: Context) -> None:
        self.name = name
        self.url = ""
        self._host, self._port = host, port
        self._context = context
        self._token = context.live.token
        if self._token is None and not is_loopback(host):
            self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._preview = Preview()
        self._server: PageServer | None = None
        self._thread: threading.Thread | None = None

    def open(self, format: Format) -> None:
        """Begin to listen."""
        self._preview = Preview()
        try:
            server = PageServer(
                (self._host, self._port),
                RequestAuthorization(self._host, self._token),
                self._preview,
                self._context,
            )
        except OSError as error:
            reason = reason_of(error)
            is_ours = error.errno in (errno.EADDRINUSE, errno.EACCES)
            advice = "another port, as in web:8643" if is_ours else "an address of this machine"
            raise SinkError(
                f"{self.name}: cannot listen at {self._host}:{self._port} ({reason}): "
                f"choose {advice}"
            ) from error
        self._server, self.url = server, server.url
        self._thread = threading.Thread(
            target=server.serve_forever, args=(0.1,), name="trackblur page"
        )
        self._thread.start()
        self._context.tell(f"{self.name}: look at {self.url}")

    def show(self, delivery: Delivery) -> None:
        """Offer a picture to whoever looks."""
        self._preview.show(delivery)

    def play(self, sound: AudioChunk) -> None:
        """Leave sound alone."""

    def close(self) -> None:
        """Stop listening, and say goodbye to everybody."""
        server, self._server = self._server, None
        thread, self._thread = self._thread, None
        self._preview.end()
        if server is not None:
            with suppress(Exception):
                server.shutdown()
                server.leave()
        if thread is not None:
            thread.join()
