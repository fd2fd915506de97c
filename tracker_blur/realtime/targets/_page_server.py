"""The page behind the target web: video stream, status and controls."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import cv2
from starlette.responses import JSONResponse, Response, StreamingResponse

from tracker_blur.core.frame import view_size
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.targets import TargetContext, redacted_frame
from tracker_blur.serving.bounds import refuse
from tracker_blur.serving.protocol import connection_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

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
_MULTIPART_BOUNDARY = "trackblur-frame"

_PREVIEW_LONGEST_SIDE_PX = 1280
_PREVIEW_QUALITY, _STILL_QUALITY = 80, 95  # of JPEG, in percent


def is_page(path: str) -> bool:
    """Return whether a path is that of the page."""
    return path == "/"


class LivePage:
    """Answers the requests for the page, once they are authorized.

    Args:
        preview: Where the frames come from.
        context: Of the session.
    """

    def __init__(self, preview: Preview, context: TargetContext) -> None:
        self._preview = preview
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        method, path = scope["method"], scope["path"]
        if method == "GET":
            await self._get(path, scope, receive, send)
        elif method != "POST":
            await refuse(scope, send, HTTPStatus.NOT_IMPLEMENTED, f"there is no {method} here")
        elif path in _CONTROLS:
            _CONTROLS[path](self._context.controls)
            await Response(headers={"content-type": "text/plain"})(scope, receive, send)
        else:
            await refuse(scope, send, HTTPStatus.NOT_FOUND, "there is no such control")

    async def _get(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a file, the video stream, a snapshot or the status."""
        response: Response | None = None
        if path in _PAGES:
            name, content_type = _PAGES[path]
            data = (_FILES / name).read_bytes()
            response = Response(data, headers={"content-type": content_type})
        elif path == "/status":
            response = JSONResponse(self._status())
        elif path == "/picture":
            response = self._stream(scope)
        elif path == "/still.jpg":
            response = await self._still()
        if response is not None:
            await response(scope, receive, send)
        elif path == "/picture":
            code, reason = HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers: try again later"
            await refuse(scope, send, code, reason)
        elif path == "/still.jpg":
            await refuse(scope, send, HTTPStatus.NOT_FOUND, "there is no frame yet")
        else:
            await refuse(scope, send, HTTPStatus.NOT_FOUND, "there is no such page")

    def _status(self) -> dict[str, object]:
        controls = self._context.controls
        return {
            **self._context.status().as_dict(),
            "hide_all": controls.control_state.hide_all,
            "can_weaken": controls.can_weaken,
        }

    async def _still(self) -> Response | None:
        data = await anyio.to_thread.run_sync(self._preview.still)
        if data is None:
            return None
        name = f'attachment; filename="trackblur-{time.strftime("%Y%m%d-%H%M%S")}.jpg"'
        return Response(data, media_type="image/jpeg", headers={"content-disposition": name})

    def _stream(self, scope: Scope) -> Response | None:
        """Return frames as motion JPEG for as long as there are any; None: too many watch."""
        if not connection_of(scope).begin_stream():
            return None
        content_type = f"multipart/x-mixed-replace; boundary={_MULTIPART_BOUNDARY}"
        headers = {"content-type": content_type, "connection": "close"}
        return StreamingResponse(self._parts(), headers=headers)

    async def _parts(self) -> AsyncIterator[bytes]:
        number = 0
        timeout_seconds = self._context.live.timing.client_timeout_seconds
        thread = anyio.CapacityLimiter(1)  # of its own: none waits for another viewer's
        while True:
            newer = await anyio.to_thread.run_sync(
                self._preview.after, number, timeout_seconds, limiter=thread
            )
            if newer is None:
                return
            number, data = newer
            head = (
                f"--{_MULTIPART_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                f"Content-Length: {len(data)}\r\n\r\n"
            )
            yield head.encode() + data + b"\r\n"


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
