"""What the documents of both protocols have in common, for OpenAPI."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ImageSize(BaseModel):
    """The size of an upright image, in pixels."""

    width: int
    height: int


class DetectedBox(BaseModel):
    """One detection, in pixels of the upright image, as Roboflow's readers take it."""

    x: float = Field(description="Horizontal center.")
    y: float = Field(description="Vertical center.")
    width: float
    height: float
    confidence: float = Field(description="Of the detector, 0 to 1.")
    class_: str = Field(alias="class")
    class_id: int
