"""Detects for the routes of Roboflow's inference protocol."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracker_blur.service.bodies import check_image
from tracker_blur.service.image_requests import read_still
from tracker_blur.service.roboflow_documents import Inference
from tracker_blur.tracking.predicting import predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from tracker_blur.pipeline import Engine
    from tracker_blur.service.roboflow_documents import Wanted
    from tracker_blur.service.service import Service


async def infer_image(
    service: Service, request: Request, wanted: Wanted, content: Callable[[], bytes]
) -> Inference:
    """Return what a detector reports in an image.

    Args:
        service: Its pool detects.
        request: Once its client has gone, there is nothing to do.
        wanted: What is wanted.
        content: Returns the image file; called in another thread.

    Raises:
        Problem: There is no room or no time for it, or it is no image.
        TrackerBlurError: It cannot be read, or there is no such detector.
    """
    megapixels = service.settings.limits.megapixels

    def work(engine: Engine) -> Inference:
        began = time.perf_counter()
        image = content()
        check_image(image)
        predictions = predict(
            engine.bundle,
            read_still(image, megapixels),
            confidence=wanted.confidence,
            overlap=wanted.overlap,
            with_odds=False,  # the protocol has no field for them
        )
        return Inference.of(predictions, time.perf_counter() - began, wanted)

    return await service.pool.run(wanted.choice, work, request.is_disconnected)
