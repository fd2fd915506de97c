"""The web server behind the target web: page, video stream, status and controls."""

from __future__ import annotations

import json
import socket
import threading
import time
from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import quote

import cv2

from tracker_blur.core.frame import view_size
from tracker_blur.realtime.authorization import RequestAuthorization, token_in
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.http_server import HttpServer, RequestHandler
from tracker_blur.realtime.targets import TargetContext, redacted_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.realtime.delivery import Delivery

_FILES = resources.files("tracker_blur.realtime.targets") / "_page"
_PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_CONTROLS = {
    "/controls/hide": Controls.hide_all,
    "/controls/show": Controls.press_show,
    "/controls/method": Controls.press_method,
    "/controls/stronger": Controls.stronger,
    "/controls/weaker": Controls.press_weaker,
    "/controls/quit": Controls.quit,
}
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_MULTIPART_BOUNDARY = "trackblur-frame"
_ALL_INTERFACES = {"", "0.0.0.0", "::"}  # noqa: S104  # names, not a binding
_SEND_BUFFER_BYTES = 1 << 18  # small, so that a slow client does not see old frames

_PREVIEW_LONGEST_SIDE_PX = 1280
_PREVIEW_QUALITY, _STILL_QUALITY = 80, 95  # of JPEG, in percent


class PageServer(HttpServer):
    """Serves the page.

    Args:
        address: (host, port) to listen on.
        authorization: Decides which requests are answered.
        preview: Where the frames come from.
        context: Of the session.

    Attributes:
        url: Of the page, with the token if there is one.

    Raises:
        OSError: It cannot listen on the address.
    """

    def __init__(
        self,
        address: tuple[str, int],
        authorization: RequestAuthorization,
        preview: Preview,
        context: TargetContext,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.authorization = authorization
        self.preview = preview
        self.context = context
        self.client_timeout_seconds = context.live.timing.client_timeout_seconds
        super().__init__(address, _Handler, lambda text: context.announce(f"web page: {text}"))
        host = socket.gethostname() if address[0] in _ALL_INTERFACES else address[0]
        host = f"[{host}]" if ":" in host else host
        self.url = f"http://{host}:{self.server_port}/{authorization.query}"

    @property
    def cookie(self) -> str:
        """Name of the cookie that holds the token; a browser shares cookies between ports."""
        return f"trackblur-{self.server_port}"

    def close_connections(self) -> None:
        """Close the socket and all connections, and wait for their threads."""
        self.server_close()
        self.connections.end(self.context.live.timing.end_connections_seconds)


class _Handler(RequestHandler):
    """Answers the requests of one connection."""

    server: PageServer
    server_version, sys_version = "trackblur", ""
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Set the connection's timeout and send buffer."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self.request.settimeout(self.server.client_timeout_seconds)
        super().setup()

    def do_GET(self) -> None:  # noqa: N802  # the name in http.server
        """Serve a file, the video stream, a snapshot or the status."""
        if not self._is_authorized():
            return
        path = self.path.partition("?")[0]
        if path == "/" and token_in(self.path):
            self._store_token()
        elif path in _PAGES:
            name, content_type = _PAGES[path]
            self._send((_FILES / name).read_bytes(), content_type)
        elif path == "/picture":
            self._send_stream()
        elif path == "/still.jpg":
            self._send_still()
        elif path == "/status":
            self._send_status()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_POST(self) -> None:  # noqa: N802  # the name in http.server
        """Apply a control."""
        if not self._is_authorized():
            return
        control = _CONTROLS.get(self.path.partition("?")[0])
        if control is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such control")
        else:
            control(self.server.context.controls)
            self._send(b"", "text/plain")

    def _is_authorized(self) -> bool:
        """Return whether the request may be answered; refuse it otherwise."""
        authorization, headers = self.server.authorization, self.headers
        if not authorization.has_allowed_host(headers):
            self._refuse(HTTPStatus.FORBIDDEN, "this page is served at 127.0.0.1 only")
        elif not authorization.is_same_origin(headers):
            self._refuse(HTTPStatus.FORBIDDEN, "requests from other sites are refused")
        elif not authorization.has_token(self.path, headers, self.server.cookie):
            self._refuse(
                HTTPStatus.FORBIDDEN,
                "the token is missing or wrong: open the address that trackblur printed",
            )
        else:
            self.server.connections.authenticate(self.connection)
            return True
        return False

    def _store_token(self) -> None:
        """Move the token to a cookie, out of the address, which others may see.

        One that is wrong, in an old address, does not replace the cookie that let it in.
        """
        headers, token = {"Location": "/"}, token_in(self.path)
        if self.server.authorization.is_token(token):
            cookie = f"{self.server.cookie}={quote(token)}"
            headers["Set-Cookie"] = f"{cookie}; HttpOnly; SameSite=Strict; Path=/"
        self._send(b"", "text/plain", HTTPStatus.SEE_OTHER, headers)

    def _send_status(self) -> None:
        context = self.server.context
        controls = context.controls
        fields = {
            **context.status().as_dict(),
            "hide_all": controls.control_state.hide_all,
            "can_weaken": controls.can_weaken,
        }
        self._send(json.dumps(fields).encode(), "application/json")

    def _send_still(self) -> None:
        still = self.server.preview.still()
        if still is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no frame yet")
        else:
            name = f'attachment; filename="trackblur-{time.strftime("%Y%m%d-%H%M%S")}.jpg"'
            self._send(still, "image/jpeg", headers={"Content-Disposition": name})

    def _send_stream(self) -> None:
        """Send frames as motion JPEG for as long as there are any."""
        if not self.server.connections.begin_stream(self.connection):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers: try again later")
            return
        self.close_connection = True
        self._begin(HTTPStatus.OK, f"multipart/x-mixed-replace; boundary={_MULTIPART_BOUNDARY}")
        number = 0
        timeout = self.server.client_timeout_seconds
        while (newer := self.server.preview.after(number, timeout)) is not None:
            number, data = newer
            head = (
                f"--{_MULTIPART_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                f"Content-Length: {len(data)}\r\n\r\n"
            )
            self.wfile.write(head.encode() + data + b"\r\n")

    def _refuse(self, code: HTTPStatus, reason: str) -> None:
        self.close_connection = True
        self._send(f"{reason}\n".encode(), "text/plain; charset=utf-8", code)

    def _send(
        self,
        data: bytes,
        content_type: str,
        code: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._begin(code, content_type, {"Content-Length": str(len(data)), **(headers or {})})
        self.wfile.write(data)

    def _begin(
        self, code: HTTPStatus, content_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(code)
        all_headers = {**_SECURITY_HEADERS, "Content-Type": content_type, **(headers or {})}
        for name, value in all_headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


class Preview:
    """Holds the newest frame for one writer and many readers, and compresses it on demand."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._delivery: Delivery | None = None
        self._number = 0
        self._encoded = 0, b""
        self._is_over = False

    def show(self, delivery: Delivery) -> None:
        """Replace the frame."""
        redacted_frame(delivery)  # refuses any other
        with self._changed:
            self._delivery = delivery
            self._number += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Wake everyone who waits; there are no more frames."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def after(self, number: int, timeout_seconds: float) -> tuple[int, bytes] | None:
        """Wait for a frame newer than the one with this number; return its number and JPEG.

        Returns None if none came in time, or there are no more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._number > number, timeout_seconds)
            if self._is_over or self._number <= number or self._delivery is None:
                return None
            newest, delivery = self._number, self._delivery
        with self._encoding:  # once for all clients
            if self._encoded[0] < newest:
                jpeg = _jpeg(delivery, _PREVIEW_LONGEST_SIDE_PX, _PREVIEW_QUALITY)
                self._encoded = newest, jpeg
            return self._encoded

    def still(self) -> bytes | None:
        """Return the newest frame at full size as JPEG, or None."""
        with self._changed:
            delivery = self._delivery
        if delivery is None:
            return None
        return _jpeg(delivery, max(redacted_frame(delivery).size), _STILL_QUALITY)


def _jpeg(delivery: Delivery, longest_side_px: int, quality: int) -> bytes:
    frame = redacted_frame(delivery)
    view = frame.view(view_size(frame.size, longest_side_px))
    _, data = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
