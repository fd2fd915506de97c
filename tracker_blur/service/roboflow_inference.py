"""Detects for the routes of Roboflow's inference protocol."""

from __future__ import annotations

import asyncio
import io
import time
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.requests import ClientDisconnect

from tracker_blur.service.bodies import check_image
from tracker_blur.service.image_requests import read_still
from tracker_blur.service.problems import unavailable
from tracker_blur.service.roboflow_documents import Inference
from tracker_blur.tracking.predicting import predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from tracker_blur.pipeline import FrameEngine
    from tracker_blur.service.roboflow_documents import Wanted
    from tracker_blur.service.service import Service

_FETCHED_AT_ONCE = 4  # such images are in memory, but in no request's body, which is counted


class Inferrer:
    """Detects in images.

    Args:
        service: Its pool detects; its fetcher fetches from URLs.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._fetches = asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def infer(
        self, request: Request, wanted: Wanted, content: Callable[[], bytes]
    ) -> Inference:
        """Return what a detector reports in an image.

        Args:
            request: Once its client has gone, there is nothing to do.
            wanted: What is wanted.
            content: Returns the image file; called in another thread.

        Raises:
            Problem: There is no room or no time for it, or it is no image.
            TrackerBlurError: It cannot be read, or there is no such detector.
        """
        megapixels = self._service.settings.limits.megapixels

        def work(engine: FrameEngine) -> Inference:
            began = time.perf_counter()
            image = content()
            check_image(image, self._service.settings.limits)
            predictions = predict(
                engine.bundle,
                read_still(image, megapixels),
                confidence=wanted.confidence,
                overlap=wanted.overlap,
                with_odds=False,  # the protocol has no field for them
            )
            return Inference.of(predictions, time.perf_counter() - began, wanted)

        return await self._service.pool.run(wanted.choice, work, request.is_disconnected)

    async def infer_url(self, request: Request, wanted: Wanted, url: str) -> Inference:
        """Return what a detector reports in an image that a URL names, as `infer` does.

        Raises:
            Problem: Also where the URL is of no host that is allowed, or does not give the image.
        """
        try:
            async with asyncio.timeout(self._service.settings.limits.queue_seconds):
                await self._fetches.acquire()
        except TimeoutError:
            raise unavailable("too many images are fetched: try again later") from None
        try:
            if await request.is_disconnected():
                raise ClientDisconnect
            image = await anyio.to_thread.run_sync(self._fetched, url)
            return await self.infer(request, wanted, lambda: image)
        finally:
            self._fetches.release()

    def _fetched(self, url: str) -> bytes:
        into = io.BytesIO()
        service = self._service
        limits = service.settings.limits
        service.jobs.fetcher.fetch(url, into, limits.image_bytes, limits.image_seconds)
        return into.getvalue()
