"""POST /v1/predict: what a detector reports in an image, as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from tracker_blur.service.bodies import check_image
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
    from tracker_blur.core.predictions import Predictions
    from tracker_blur.pipeline import Engine
    from tracker_blur.service.service import Service


class PredictOptions(DetectionOptions):
    """How an image is searched."""

    overlap: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Non-maximum suppression: of two boxes of a class with a larger intersection "
        "over union, the surer stays. Default: the detector's own threshold.",
    )
    max_size: int | None = Field(
        None,
        ge=VIEW_PX_LIMITS[0],
        le=VIEW_PX_LIMITS[1],
        description="Larger images are reduced to this longest side for the detector. Default: "
        "1920. Boxes stay in pixels of the whole image.",
    )


class ImageSize(BaseModel):
    """The size of an upright image, in pixels."""

    width: int
    height: int


class PredictedBox(BaseModel):
    """One detection, in pixels of the upright image."""

    x: float = Field(description="Horizontal center.")
    y: float = Field(description="Vertical center.")
    width: float
    height: float
    confidence: float = Field(description="Of the detector, 0 to 1.")
    class_: str = Field(alias="class")
    class_id: int
    log_odds: float | None = Field(
        description="Logarithm of the odds that it is one, by the classifier of the class; above "
        "0, it is more likely than not. null: there is no classifier."
    )


class PredictAnswer(BaseModel):
    """What the detector reports; `supervision.Detections.from_inference` reads it."""

    image: ImageSize
    predictions: list[PredictedBox] = Field(description="The surest first.")
    detector: str = Field(description="The detectors that were used.")
    seconds: float = Field(description="Time for decoding and detecting.")


def create_router(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["images"])

    @router.post(
        "/v1/predict",
        response_model=PredictAnswer,
        openapi_extra=IMAGE_BODY,
        responses=ERRORS,
    )
    async def predict_image(
        request: Request, options: Annotated[PredictOptions, Query()]
    ) -> PredictAnswer:
        """Detect in an image, and hide nothing.

        The image is the body, or the file of a form. What the query may say, fields of the form may
        say instead.
        """
        service.pool.check_room()
        async with service.bodies.read(request) as body:
            check_image(body.content)
            chosen = with_fields(options, body.fields)
            limit = service.settings.limits.megapixels

            def work(engine: Engine) -> tuple[Predictions, float]:
                began = time.perf_counter()
                frame = read_still(body.content, limit)
                predictions = predict(
                    engine.bundle,
                    frame,
                    confidence=chosen.confidence,
                    overlap=chosen.overlap,
                    max_size=chosen.max_size,
                )
                return predictions, time.perf_counter() - began

            predictions, seconds = await service.pool.run(
                chosen.choice(), work, request.is_disconnected
            )
        return PredictAnswer.model_validate(
            predictions.to_dict() | {"detector": predictions.detector, "seconds": round(seconds, 4)}
        )

    return router
