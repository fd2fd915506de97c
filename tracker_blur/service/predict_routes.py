"""POST /v1/predict: what a detector reports in an image, as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from tracker_blur.service.bodies import check_image
from tracker_blur.service.detection_models import DetectedBox, ImageSize
from tracker_blur.service.image_requests import (
    ERRORS,
    IMAGE_BODY,
    DetectionOptions,
    read_still,
    with_fields,
)
from tracker_blur.settings import VIEW_PX_LIMITS
from tracker_blur.tracking.predicting import predict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tracker_blur.core.predictions import Predictions
    from tracker_blur.pipeline import FrameEngine
    from tracker_blur.service.service import Service


_MIN_VIEW_PX, _ = VIEW_PX_LIMITS
_MAX_VIEW_PX = 4096  # at 8192, one request takes 2.7 GB and 37 seconds of two cores


class PredictOptions(DetectionOptions):
    """How an image is searched."""

    overlap: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Non-maximum suppression: of two boxes of a class with a larger intersection "
        "over union, the one with the higher score stays. Default: the detector's own threshold.",
    )
    max_size: int | None = Field(
        None,
        ge=_MIN_VIEW_PX,
        le=_MAX_VIEW_PX,
        description="Larger images are reduced to this longest side for the detector. Default: "
        "1920. Boxes stay in pixels of the whole image.",
    )


class PredictedBox(DetectedBox):
    """One detection, and what the classifier says about it."""

    log_odds: float | None = Field(
        description="Logarithm of the odds that it is one, by the classifier of the class; above "
        "0, it is more likely than not. null: there is no classifier."
    )


class PredictAnswer(BaseModel):
    """What the detector reports; `supervision.Detections.from_inference` reads it."""

    image: ImageSize
    predictions: list[PredictedBox] = Field(description="The highest score first.")
    detector: str = Field(description="The detectors that were used.")
    seconds: float = Field(description="Time for decoding and detecting.")


async def predictions_of(
    service: Service,
    content: bytes,
    options: PredictOptions,
    is_gone: Callable[[], Awaitable[bool]],
) -> tuple[Predictions, float]:
    """Return what the detector reports in an image file, and in how many seconds.

    Args:
        service: The service.
        content: The file.
        options: What is detected, and how.
        is_gone: Returns whether the client has gone.

    Raises:
        Problem: It is no image, or there is no detector for it now.
        TrackerBlurError: It is damaged, or an option makes no sense.
    """
    limits = service.settings.limits
    check_image(content, limits)

    def work(engine: FrameEngine) -> tuple[Predictions, float]:
        began = time.perf_counter()
        predictions = predict(
            engine.bundle,
            read_still(content, limits.megapixels),
            confidence=options.confidence,
            overlap=options.overlap,
            max_size=options.max_size,
        )
        return predictions, time.perf_counter() - began

    return await service.pool.run(options.choice(), work, is_gone)


def create_router(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["images"])

    @router.post(
        "/v1/predict",
        response_model=PredictAnswer,
        openapi_extra=IMAGE_BODY,
        responses=ERRORS,
        summary="Detect in an image",
    )
    async def predict_image(
        request: Request, options: Annotated[PredictOptions, Query()]
    ) -> PredictAnswer:
        """Return what a detector reports in an image; hide nothing.

        The image is the body, or the file of a form. What the query may say, fields of the form may
        say instead.
        """
        service.pool.check_room()
        async with service.bodies.read(request) as body:
            chosen = with_fields(options, body.fields)
            predictions, seconds = await predictions_of(
                service, body.content, chosen, request.is_disconnected
            )
        return PredictAnswer.model_validate(
            predictions.to_dict() | {"detector": predictions.detector, "seconds": round(seconds, 4)}
        )

    return router
