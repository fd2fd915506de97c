"""POST /v1/redact: an image with what a detector sees in it hidden, in the same format."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field, field_validator
from starlette.responses import Response

from tracker_blur.core import plugins
from tracker_blur.images.writer import encoded
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.service.bodies import check_image
from tracker_blur.service.image_requests import (
    ERRORS,
    IMAGE_BODY,
    DetectionOptions,
    read_still,
    with_fields,
)
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.pipeline import FrameEngine
    from tracker_blur.service.service import Service

_METHODS = tuple(
    name
    for name in plugins.names("tracker_blur.redaction.methods")
    if name != "image"  # it needs a file
)
_DEFAULT_METHOD = Settings().method
_MEDIA_TYPES = {
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "HEIF": "image/heic",
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
}
_COUNT_HEADER = "trackblur-hidden"


class RedactOptions(DetectionOptions):
    """What is hidden in an image, and how.

    There is no `overlap` and no `max_size` as for predictions: redaction searches the image at
    several scales, and hides all that it finds.
    """

    method: str = Field(
        _DEFAULT_METHOD,
        description="How it is hidden.",
        json_schema_extra={"enum": list(_METHODS)},
    )

    @field_validator("method")
    @classmethod
    def _check_method(cls, value: str) -> str:
        if value not in _METHODS:
            raise ValueError(f"choose one of {', '.join(_METHODS)}")
        return value


def create_router(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["images"])
    limits = service.settings.limits

    @router.post(
        "/v1/redact",
        response_class=Response,
        summary="Hide faces in an image",
        openapi_extra=IMAGE_BODY,
        responses=ERRORS
        | {
            200: {
                "description": "The image.",
                "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
                "headers": {
                    _COUNT_HEADER: {
                        "description": "How many places are hidden.",
                        "schema": {"type": "integer"},
                    }
                },
            }
        },
    )
    async def redact_image(
        request: Request, options: Annotated[RedactOptions, Query()]
    ) -> Response:
        """Hide what the detector sees in an image; return it in the same format.

        The image is the body, or the file of a form. What the query may say, fields of the form may
        say instead. The answer has no metadata that may identify someone.
        """
        service.pool.check_room()
        async with service.bodies.read(request) as body:
            check_image(body.content, limits)
            chosen = with_fields(options, body.fields)

            def work(engine: FrameEngine) -> tuple[bytes, str, Counter[str]]:
                # One for each image: a redactor keeps the tones of the faces of a video.
                redactor = FrameRedactor(Settings(method=chosen.method))
                frame = read_still(body.content, limits.megapixels)
                faces = engine.faces(frame, chosen.confidence)
                content = encoded(redactor.redact(frame, faces))
                return content, frame.encoding.format, Counter(face.label for face in faces)

            content, file_format, hidden = await service.pool.run(
                chosen.choice(), work, request.is_disconnected
            )
        service.metrics.count_hidden(hidden)
        return Response(
            content,
            media_type=_MEDIA_TYPES[file_format],
            headers={_COUNT_HEADER: str(hidden.total())},
        )

    return router
