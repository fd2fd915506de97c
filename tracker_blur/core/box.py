"""Boxes, their arithmetic, and the detections that hold them.

Coordinates are float pixels of the full-size upright frame, x to the right, y down; `right` and
`bottom` are exclusive. Rounding to whole pixels happens once, outward, in `Box.outward`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in float pixels; it may reach beyond the frame."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def from_xywh(cls, x: float, y: float, width: float, height: float) -> Box:
        """Return the box with its upper left corner at (x, y); sizes in pixels."""
        return cls(x, y, x + width, y + height)

    @classmethod
    def around(cls, center: tuple[float, float], width: float, height: float) -> Box:
        """Return the box of this size, in pixels, around a center (x, y)."""
        x, y = center
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def center(self) -> tuple[float, float]:
        """The center, (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def area(self) -> float:
        """Area in square pixels; 0 for an empty box."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def size(self) -> float:
        """The side, in pixels, of the square of the same area: the unit of a face's motion."""
        return math.sqrt(self.area)

    @property
    def is_empty(self) -> bool:
        """Whether the box has no area, or a coordinate is not finite."""
        return not (self.width > 0 and self.height > 0 and math.isfinite(sum(self.as_tuple())))

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom)."""
        return self.left, self.top, self.right, self.bottom

    def moved(self, dx: float, dy: float) -> Box:
        """Return the box shifted by (dx, dy) pixels."""
        return Box(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def scaled(self, x_ratio: float, y_ratio: float) -> Box:
        """Return the box in a frame that is `x_ratio` times as wide and `y_ratio` as high."""
        return Box(
            self.left * x_ratio, self.top * y_ratio, self.right * x_ratio, self.bottom * y_ratio
        )

    def padded(self, ratio: float) -> Box:
        """Return the box with `ratio` of its own width and height added on each side."""
        dx, dy = self.width * ratio, self.height * ratio
        return Box(self.left - dx, self.top - dy, self.right + dx, self.bottom + dy)

    def clipped(self, width: float, height: float) -> Box:
        """Return the part inside a frame of this size; empty when there is none."""
        left, top = min(max(self.left, 0.0), width), min(max(self.top, 0.0), height)
        return Box(left, top, max(left, min(self.right, width)), max(top, min(self.bottom, height)))

    def outward(self) -> tuple[int, int, int, int]:
        """Return (left, top, right, bottom) of the smallest whole-pixel box that covers this."""
        return (
            math.floor(self.left),
            math.floor(self.top),
            math.ceil(self.right),
            math.ceil(self.bottom),
        )

    def union(self, other: Box) -> Box:
        """Return the smallest box that covers both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def intersection_area(self, other: Box) -> float:
        """Return the shared area in square pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Return intersection over union, 0 to 1."""
        shared = self.intersection_area(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def covers(self, other: Box) -> bool:
        """Return whether `other` lies wholly inside this box."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector reports: where, with which score (0 to 1), and of which class."""

    box: Box
    score: float
    label: str = "face"
