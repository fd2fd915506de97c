"""What requests with an image have in common: their options, their body, their errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError, field_validator

from tracker_blur.errors import SourceError
from tracker_blur.images.reader import ImageReader
from tracker_blur.service.image_structure import SEVERAL, check_structure
from tracker_blur.service.pool import Choice
from tracker_blur.service.problems import documented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.images.frame import ImageFrame

_NAME = Path("the image")
_MAX_CLASSES = 100
_STATUSES = {
    400: "The form cannot be read.",
    401: "The token is missing or wrong.",
    408: "The body did not arrive in time.",
    413: "The body has too many bytes, or the image too many pixels.",
    415: "The body is no image of a known format.",
    422: "A parameter makes no sense, or the image is damaged.",
    503: "Too many requests wait, or the service stops: `Retry-After` says when to try again.",
}

ERRORS = documented(_STATUSES)
"""The errors of such routes, for OpenAPI."""

_BINARY = {"type": "string", "format": "binary"}

IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": _BINARY},
                    "required": ["file"],
                }
            },
            "image/*": {"schema": _BINARY},
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}
"""The body of such requests, for OpenAPI."""


class DetectionOptions(BaseModel, extra="forbid"):
    """What is detected, and by what."""

    detector: str | None = Field(
        None,
        max_length=200,
        description="Name of a detector; values for its parameters may follow, as in "
        "`lbp:scale_factor=1.2,min_size=24`. Default: the service's own.",
    )
    classes: list[str] = Field(
        default=[],
        max_length=_MAX_CLASSES,
        description="What to detect, separated by commas: `faces`, `plates`, or classes of the "
        "service's own detector. Default: faces, or everything that this detector detects.",
    )
    confidence: float | None = Field(
        None, ge=0, le=1, description="Lowest score. Default: the detector's own."
    )

    @field_validator("classes", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        given = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in given):
            raise ValueError("give names separated by commas")
        names = [name.strip() for each in given for name in each[:4096].split(",")]
        return list(dict.fromkeys(name for name in names if name))

    def choice(self) -> Choice:
        """Return which detector it takes."""
        return Choice(self.detector, tuple(self.classes))


OptionsT = TypeVar("OptionsT", bound=BaseModel)


def with_fields(options: OptionsT, fields: Mapping[str, str]) -> OptionsT:
    """Return options with those that are fields of a form.

    Raises:
        RequestValidationError: A field makes no sense.
    """
    if not fields:
        return options
    try:
        return type(options).model_validate({**options.model_dump(exclude_unset=True), **fields})
    except ValidationError as error:
        errors = [each | {"loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(errors) from None


def read_still(content: bytes, megapixels: float) -> ImageFrame:
    """Return the only frame of an image file.

    Args:
        content: The file.
        megapixels: The most pixels, in millions.

    Raises:
        SourceError: It is damaged, too large, or holds several images.
    """
    check_structure(content, str(_NAME))
    reader = ImageReader(_NAME, content=content, max_megapixels=megapixels)
    if reader.info.frame_count != 1:
        raise SourceError(f"{_NAME}: {SEVERAL}")
    return next(iter(reader))
