"""The image of a request: a field of a form, or the whole body."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from tracker_blur.service.multipart import is_multipart, read_file
from tracker_blur.service.problems import Problem, unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fastapi import Request

    from tracker_blur.service.settings import ServiceLimits

_SIGNATURES: tuple[tuple[int, bytes], ...] = (
    (0, b"\xff\xd8\xff"),  # JPEG
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"GIF8"),
    (8, b"WEBP"),
    (0, b"II*\0"),  # TIFF
    (0, b"MM\0*"),
    (0, b"II+\0"),  # of more than 4 GB
    (0, b"MM\0+"),
    (0, b"BM"),
    (4, b"ftypavi"),
    (4, b"ftyphei"),
    (4, b"ftyphev"),
    (4, b"ftypmif1"),
    (4, b"ftypmsf1"),
)
_NAMES = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC"
_MAX_FIELD_BYTES = 4 << 10


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request.

    Attributes:
        content: The only file of a form, or the whole body.
        fields: The other fields of a form.
    """

    content: bytes
    fields: Mapping[str, str]


def check_image(content: bytes, limits: ServiceLimits) -> None:
    """Raise Problem for what does not begin like an image, or is too long.

    What its name and its type say does not matter.
    """
    if not content:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "there is no image: send one as the body, or as the file of a form",
        )
    if len(content) > limits.image_bytes:
        raise _too_long(limits.image_bytes)
    if not any(content.startswith(text, start) for start, text in _SIGNATURES):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"this is no image that is read: send {_NAMES}"
        )


class Bodies:
    """Reads bodies into memory, as far as the limits allow; for one event loop.

    Args:
        limits: Of the service.
    """

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits = limits
        self._held_bytes = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[Body]:
        """Return the body of a request, which counts as held until the block ends.

        Raises:
            Problem: It is too long, comes too slowly, is no form although its type says so, or the
                bodies of other requests take all the memory there is for them.
        """
        held = _Held(self, self._limits.body_bytes)
        try:
            yield await self._read_in_time(request, held)
        finally:
            self._held_bytes -= held.count

    async def _read_in_time(self, request: Request, held: _Held) -> Body:
        seconds = self._limits.image_seconds
        try:
            async with asyncio.timeout(seconds):
                return await _read(request, held)
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, f"the body did not arrive within {seconds:g} seconds"
            ) from None

    @property
    def held_bytes(self) -> int:
        """How many bytes of bodies are in memory."""
        return self._held_bytes

    def hold(self, count: int) -> None:
        """Count more bytes as held; raises Problem where there is no room for them."""
        if self._held_bytes + count > self._limits.waiting_bytes:
            raise unavailable("other requests take all the memory for them: try again later")
        self._held_bytes += count


class _Held:
    """What one request holds."""

    def __init__(self, bodies: Bodies, limit: int) -> None:
        self._bodies = bodies
        self._limit = limit
        self.count = 0

    def add(self, length: int) -> None:
        if self.count + length > self._limit:
            raise _too_long(self._limit)
        self._bodies.hold(length)
        self.count += length


async def _read(request: Request, held: _Held) -> Body:
    content_type = request.headers.get("content-type", "")
    content = bytearray()
    if not is_multipart(content_type):
        async for chunk in request.stream():
            held.add(len(chunk))
            content += chunk
        return Body(bytes(content), {})

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in request.stream():
            held.add(len(chunk))
            yield chunk

    fields: dict[str, str] = {}
    async for _, data in read_file(content_type, chunks(), _MAX_FIELD_BYTES, fields):
        content += data
    return Body(bytes(content), fields)


def _too_long(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the image is longer than {limit} bytes: send a smaller one",
    )
