"""The page's connections: those that are welcome stay; of strangers, only the newest.

The latest redacted picture as JPEG, made when somebody asks.

Serves the page: its files, the moving picture, how the session fares, and its buttons.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import quote

import cv2

from tracker_blur.core.frame import view_size
from tracker_blur.realtime.access import RequestAuthorization, token_in
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.targets import Context, frame_of

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


_LONGEST_PX = 1280
_PREVIEW_QUALITY, _STILL_QUALITY = 80, 95


class Preview:
    """A slot in which the newest picture replaces the one before; for one writer, many readers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._delivery: Delivery | None = None
        self._number = 0
        self._encoded = 0, b""
        self._is_over = False

    def show(self, delivery: Delivery) -> None:
        """Offer a picture."""
        frame_of(delivery)
        with self._changed:
            self._delivery = delivery
            self._number += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Let everybody who waits go."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def after(self, number: int, timeout_seconds: float) -> tuple[int, bytes] | None:
        """Wait for a picture newer than that of a number; return its number, and it as JPEG.

        None: there is none in time, or none any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._number > number, timeout_seconds)
            if self._is_over or self._number <= number or self._delivery is None:
                return None
            newest, delivery = self._number, self._delivery
        with self._encoding:  # once for all who look
            if self._encoded[0] < newest:
                self._encoded = newest, _jpeg(delivery, _LONGEST_PX, _PREVIEW_QUALITY)
            return self._encoded

    def still(self) -> bytes | None:
        """Return the latest picture at its full size as JPEG, or None."""
        with self._changed:
            delivery = self._delivery
        if delivery is None:
            return None
        return _jpeg(delivery, max(frame_of(delivery).size), _STILL_QUALITY)


def _jpeg(delivery: Delivery, longest_px: int, quality: int) -> bytes:
    frame = frame_of(delivery)
    view = frame.view(view_size(frame.size, longest_px))
    _, data = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


_PAGE = "tracker_blur.realtime.targets._page"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_BUTTONS = {
    "/controls/hide": Controls.hide_all,
    "/controls/show": Controls.press_show,
    "/controls/method": Controls.next_method,
    "/controls/stronger": Controls.stronger,
    "/controls/weaker": Controls.weaker,
    "/controls/quit": Controls.quit,
}
_SAFETY = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_BOUNDARY = "trackblur-picture"
_EVERYWHERE = {"", "0.0.0.0", "::"}
_ON_THE_WAY_BYTES = 1 << 18
_PATIENCE_SECONDS = 10.0  # with a visitor who neither asks nor takes


class PageServer(ThreadingHTTPServer):
    """Listens, and gives each connection a thread.

    url  of the page, with the token if there is one

    Raises OSError when it cannot listen at the address, (host, port).
    """

    daemon_threads = True  # a connection never keeps the program from ending
    request_queue_size = 64  # a browser opens several at once

    def __init__(
        self,
        address: tuple[str, int],
        visitors: RequestAuthorization,
        preview: Preview,
        context: Context,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.visitors = visitors
        self.preview = preview
        self.context = context
        self.connections = Connections()
        super().__init__(address, _Handler)
        host = socket.gethostname() if address[0] in _EVERYWHERE else address[0]
        host = f"[{host}]" if ":" in host else host
        self.url = f"http://{host}:{self.server_port}/{visitors.query}"

    @property
    def cookie(self) -> str:
        """The name under which a browser keeps the token; its cookies are one set for all ports."""
        return f"trackblur-{self.server_port}"

    def leave(self) -> None:
        """Close all connections, and wait for their threads."""
        self.server_close()
        self.connections.end()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        self.connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.remove(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of visitors who leave."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: PageServer
    server_version, sys_version = "trackblur", ""
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_SECONDS

    def setup(self) -> None:
        """Keep little on the way, so that what a slow visitor sees is not long past."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_THE_WAY_BYTES)
        super().setup()

    def do_GET(self) -> None:
        """Serve a file, the picture, or how the session fares."""
        if not self._is_welcome():
            return
        path = self.path.partition("?")[0]
        if path == "/" and token_in(self.path):
            self._remember_token()
        elif path in _FILES:
            name, kind = _FILES[path]
            self._send(resources.files(_PAGE).joinpath(name).read_bytes(), kind)
        elif path == "/picture":
            self._send_pictures()
        elif path == "/still.jpg":
            self._send_still()
        elif path == "/status":
            self._send_status()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_POST(self) -> None:
        """Press a button."""
        self.close_connection = True  # a body, which no button has, is not read
        if not self._is_welcome():
            return
        button = _BUTTONS.get(self.path.partition("?")[0])
        if button is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such button")
        else:
            button(self.server.context.controls)
            self._send(b"", "text/plain")

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def _is_welcome(self) -> bool:
        visitors, headers = self.server.visitors, self.headers
        if not visitors.is_named_rightly(headers):
            self._refuse(HTTPStatus.FORBIDDEN, "this page is at 127.0.0.1 only")
        elif not visitors.is_from_own_page(headers):
            self._refuse(HTTPStatus.FORBIDDEN, "another page asked for this")
        elif not visitors.knows_token(self.path, headers, self.server.cookie):
            self._refuse(HTTPStatus.FORBIDDEN, "the address lacks its token: see where it started")
        elif not self.server.connections.welcome(self.connection):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many look already: come back later")
        else:
            return True
        return False

    def _remember_token(self) -> None:
        """Keep the token in a cookie, out of the address that one sees and passes on."""
        cookie = f"{self.server.cookie}={quote(token_in(self.path))}"
        headers = {"Location": "/", "Set-Cookie": f"{cookie}; HttpOnly; SameSite=Strict; Path=/"}
        self._send(b"", "text/plain", HTTPStatus.SEE_OTHER, headers)

    def _send_status(self) -> None:
        context = self.server.context
        fields = {**context.status().as_dict(), "hide_all": context.controls.control_state.hide_all}
        self._send(json.dumps(fields).encode(), "application/json")

    def _send_still(self) -> None:
        picture = self.server.preview.still()
        if picture is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no picture yet")
        else:
            name = f'attachment; filename="trackblur-{time.strftime("%Y%m%d-%H%M%S")}.jpg"'
            self._send(picture, "image/jpeg", headers={"Content-Disposition": name})

    def _send_pictures(self) -> None:
        """Send pictures as long as there are any: each part replaces the one before."""
        self.close_connection = True
        self._begin(HTTPStatus.OK, f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        number = 0
        while (picture := self.server.preview.after(number, _PATIENCE_SECONDS)) is not None:
            number, data = picture
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            self.wfile.write(head.encode() + data + b"\r\n")

    def _refuse(self, code: HTTPStatus, reason: str) -> None:
        self.close_connection = True
        self._send(f"{reason}\n".encode(), "text/plain; charset=utf-8", code)

    def _send(
        self,
        data: bytes,
        kind: str,
        code: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._begin(code, kind, {"Content-Length": str(len(data)), **(headers or {})})
        self.wfile.write(data)

    def _begin(self, code: HTTPStatus, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {**_SAFETY, "Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
