"""Takes files in: uploads, and what is fetched from URLs."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from anyio import CancelScope, to_thread

from tracker_blur.service.arrivals import Arrival
from tracker_blur.service.multipart import is_multipart, read_file
from tracker_blur.service.problems import Problem, unavailable
from tracker_blur.service.room import Room
from tracker_blur.web.state import make_private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from fastapi import Request

    from tracker_blur.service.fetching import Fetcher
    from tracker_blur.service.job_settings import JobLimits

_MAX_FIELD_BYTES = 16 << 10


class Transfers:
    """Takes files in, as far as the limits allow; used from one event loop.

    Args:
        folder: Where they arrive; what is in it is deleted.
        limits: Of jobs.
        fetcher: Fetches from URLs.
        stored: Returns how many bytes are stored already; called in other threads.
    """

    def __init__(
        self, folder: Path, limits: JobLimits, fetcher: Fetcher, stored: Callable[[], int]
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)  # what a server that was killed has left
        make_private_folder(folder)
        self._folder = folder
        self._limits = limits
        self._fetcher = fetcher
        self._room = Room(folder, limits.stored_bytes, stored)
        self._arriving: set[Arrival] = set()

    @asynccontextmanager
    async def upload(self, request: Request, name: str | None) -> AsyncIterator[Arrival]:
        """Yield the file of a request, which is in a form or the whole body; it has come whole.

        Args:
            request: The request.
            name: What the body is called; the file of a form has its own name.

        Raises:
            Problem: It is too long or too slow, no video and no image, or there is no room for it.
        """
        length = int(request.headers.get("content-length", "0"))
        content_type = request.headers.get("content-type", "")
        async with self._arrival(length) as arrival:
            try:
                async with asyncio.timeout(self._limits.upload_seconds):
                    if is_multipart(content_type):
                        await self._take_form(arrival, request, content_type)
                    else:
                        arrival.open(name or "")
                        async for chunk in request.stream():
                            await self._append(arrival, chunk)
            except TimeoutError:
                raise Problem(
                    HTTPStatus.REQUEST_TIMEOUT,
                    f"the file did not arrive within {self._limits.upload_seconds:g} seconds",
                ) from None
            await to_thread.run_sync(arrival.finish)
            yield arrival

    @asynccontextmanager
    async def fetch(self, url: str, name: str | None) -> AsyncIterator[Arrival]:
        """Yield the file that a URL names; it has come whole.

        Args:
            url: The URL.
            name: What the file is called, if not as in the URL.

        Raises:
            Problem: As `upload` and `Fetcher.fetch` do.
        """
        self._fetcher.check(url)
        async with self._arrival(0) as arrival:
            await to_thread.run_sync(self._fetch, arrival, url, name or _name_in(url))
            yield arrival

    @asynccontextmanager
    async def _arrival(self, length: int) -> AsyncIterator[Arrival]:
        """Yield room for a file of a length, as far as that is known; in the end, it is deleted."""
        if len(self._arriving) >= self._limits.transfers:
            raise unavailable("too many files arrive at the same time: try again later", 10)
        if length > self._limits.upload_bytes:
            raise self._too_long()
        with self._room.reserved() as room:
            arrival = Arrival(self._folder, room)
            self._arriving.add(arrival)
            try:
                await to_thread.run_sync(room.reserve, length)
                yield arrival
            finally:
                self._arriving.discard(arrival)
                with CancelScope(shield=True):
                    await to_thread.run_sync(arrival.delete)

    async def _take_form(self, arrival: Arrival, request: Request, content_type: str) -> None:
        is_open = False
        parts = read_file(content_type, request.stream(), _MAX_FIELD_BYTES, arrival.fields)
        async for name, data in parts:
            if not is_open:
                arrival.open(_last_part(name))
                is_open = True
            await self._append(arrival, data)

    async def _append(self, arrival: Arrival, data: bytes) -> None:
        if arrival.length + len(data) > self._limits.upload_bytes:
            raise self._too_long()
        if arrival.hold(data):
            await to_thread.run_sync(arrival.write_held)

    def _fetch(self, arrival: Arrival, url: str, name: str) -> None:
        arrival.open(name)
        self._fetcher.fetch(url, arrival, self._limits.upload_bytes)
        arrival.finish()

    def _too_long(self) -> Problem:
        return Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the file is longer than {self._limits.upload_bytes} bytes: cut it, or reduce it",
        )


def _last_part(name: str) -> str:
    """Return the name of a file from what a client calls it: some send the whole path."""
    return name.replace("\\", "/").rpartition("/")[2]


def _name_in(url: str) -> str:
    try:
        return _last_part(unquote(urlsplit(url).path))
    except ValueError:
        return ""
