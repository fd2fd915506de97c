"""Bounds every request in size and time, and gives every answer its security headers."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tracker_blur.serving.protocol import connection_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tracker_blur.serving.limits import ServingLimits

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""Of each answer: frames show faces, and nothing of a page comes from elsewhere."""

REVALIDATED = "private, no-cache"
"""The only other `cache-control` that an application may give, for files of its own: browsers keep
them, and ask each time whether they are still the same."""

_CLOSE = b"connection", b"close"


Refusal: TypeAlias = "Callable[[Scope, Send, int, str], Awaitable[None]]"
"""Answers a request with a status and a reason, and closes its connection."""


class LostClientError(Exception):
    """A client has gone, or neither sent nor read for too long."""


class BoundedRequests:
    """Passes requests on, as long as the client keeps to the limits.

    Args:
        app: Answers the requests.
        limits: Of the server.
        is_upload: Returns whether a request's body may be as long as that of an upload.
        report: Called with a line when a request fails.
        refusal: Answers with a status and a reason where the application does not; None: `refuse`.
        is_image: Returns whether a request's body may be as long as that of an image.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: ServingLimits,
        is_upload: Callable[[Scope], bool],
        report: Callable[[str], None],
        refusal: Refusal | None = None,
        is_image: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._refuse = refusal or refuse
        self._limits = limits
        self._is_upload = is_upload
        self._is_image = is_image
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        limits, is_upload = self._limits, self._is_upload(scope)
        body_limit = limits.image_bytes if self._is_image(scope) else limits.body_bytes
        if is_upload:
            body_limit = limits.upload_bytes
        exchange = _Exchange(scope, receive, send, limits, body_limit, is_upload=is_upload)
        try:
            if exchange.is_too_long:
                await self._refuse(scope, exchange.send, *_too_long(exchange.body_limit))
            else:
                await self._app(scope, exchange.receive, exchange.send)
        except HTTPException as error:
            await self._fail(scope, exchange, error.status_code, error.detail)
        except Exception as error:  # noqa: BLE001  # one request must not end the server
            if not (exchange.is_lost or isinstance(error, ClientDisconnect)):
                self._report(f"a request failed ({type(error).__name__}: {error})")
            await self._fail(scope, exchange, 500, "this is a bug: please report it")

    async def _fail(self, scope: Scope, exchange: _Exchange, code: int, reason: str) -> None:
        if not (exchange.has_begun or exchange.is_lost):
            with suppress(LostClientError):
                await self._refuse(scope, exchange.send, code, reason)
        if not exchange.has_ended:
            connection_of(scope).abort()


class _Exchange:
    """One request and its answer.

    Attributes:
        body_limit: The longest body, in bytes.
        has_begun: Whether the answer has.
        has_ended: The same.
        is_lost: Whether the client has gone, or neither sent nor read for too long.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: ServingLimits,
        body_limit: int,
        *,
        is_upload: bool,
    ) -> None:
        self._receive = receive
        self._send = send
        self._limits = limits
        self._is_upload = is_upload
        self._connection = connection_of(scope)
        self.body_limit = body_limit
        self.has_begun = self.has_ended = self.is_lost = False
        self._length = _stated_length(scope)
        self._is_received = self._length == 0
        self._received_bytes = 0
        self._deadline: float | None = None
        self._is_closing = False

    @property
    def is_too_long(self) -> bool:
        """Whether the head already says so."""
        return self._length is not None and self._length > self.body_limit

    async def receive(self) -> Message:
        """Return the next part of the body, or that the client has gone.

        Raises:
            LostClientError: It did not come in time.
            HTTPException: The body is too long.
        """
        if self._is_received:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        if self._is_upload or self._deadline is None:
            self._deadline = now + self._patience_seconds()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise self._lost() from None
        self._is_received = not message.get("more_body", False)
        self._received_bytes += len(message.get("body", b""))
        if self._received_bytes > self.body_limit:
            raise HTTPException(*_too_long(self.body_limit))
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer.

        A body that no one has read is read on for a moment: a connection that is closed before
        would lose the answer. Nothing else is read from this connection then.

        Raises:
            LostClientError: The client has gone, or did not read in time.
        """
        if message["type"] == "http.response.start":
            self.has_begun = True
            message = {**message, "headers": self._headers(message)}
        elif self._is_closing and not message.get("more_body", False):
            await self._send_in_time({**message, "more_body": True})
            await self._discard_body()
            message = {"type": "http.response.body"}
        await self._send_in_time(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.has_ended = True

    def _headers(self, message: Message) -> list[tuple[bytes, bytes]]:
        given = [(name.lower(), value) for name, value in message.get("headers", [])]
        names = {name for name, _ in given}
        is_kept = (b"cache-control", REVALIDATED.encode()) in given
        added = [
            (name.encode(), value.encode())
            for name, value in SECURITY_HEADERS.items()
            if name.encode() not in names or (name == "cache-control" and not is_kept)
        ]
        kept = [(name, value) for name, value in given if is_kept or name != b"cache-control"]
        if not self._is_received:
            self._is_closing = True
        if self._is_closing and _CLOSE not in kept:
            kept.append(_CLOSE)
        return [*kept, *added]

    async def _send_in_time(self, message: Message) -> None:
        if self._connection.is_closing:  # else an answer without an end would never notice
            raise self._lost()
        try:
            async with asyncio.timeout(self._limits.client_timeout_seconds):
                await self._send(message)
        except TimeoutError:
            raise self._lost() from None

    def _patience_seconds(self) -> float:
        """Return how long the next part of an upload, or all of another body, may take."""
        whole = self._limits.body_seconds
        if self._is_upload or whole is None:
            return self._limits.client_timeout_seconds
        return whole

    def _lost(self) -> LostClientError:
        self.is_lost = True  # what passes it on may wrap the error
        return LostClientError()

    async def _discard_body(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_seconds):
                while not self._is_received:
                    message = await self._receive()
                    self._is_received = not message.get("more_body", False)


async def refuse(scope: Scope, send: Send, code: int, reason: str) -> None:
    """Answer with a reason, and close the connection: as JSON to programs, as text to people."""
    if scope["path"].startswith("/api/"):
        data, content_type = json.dumps({"error": reason}).encode(), b"application/json"
    else:
        data, content_type = f"{reason}\n".encode(), b"text/plain; charset=utf-8"
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(data)).encode()),
        _CLOSE,
    ]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def _stated_length(scope: Scope) -> int | None:
    """Return the length of the body that the head states: 0 for none, None if it is unknown.

    uvicorn refuses requests whose lengths contradict each other.
    """
    length: int | None = 0
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = int(value)
    return length


def _too_long(limit: int) -> tuple[int, str]:
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request is longer than {limit} bytes"
