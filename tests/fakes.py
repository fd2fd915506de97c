"""Stand-ins that tests share: a frame made of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np

from tracker_blur.frames import Frame, Image, Orientation, PixelLayout, Plane


class ArrayFrame(Frame):
    """A frame over planes that a test made; `view` shows the first plane in gray."""

    def __init__(
        self,
        planes: Sequence[Plane],
        layout: PixelLayout,
        orientation: Orientation = Orientation.UPRIGHT,
        size: tuple[int, int] | None = None,
        index: int = 0,
    ) -> None:
        """Take planes in stored orientation; `size` is that of the upright picture."""
        self.index = index
        self.pts = index
        self.time_base = Fraction(1, 25)
        self.layout = layout
        self.orientation = orientation
        self._planes = tuple(planes)
        height, width = self._planes[0].samples.shape
        upright = (height, width) if orientation.swaps_sides else (width, height)
        self._size = size or upright

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def view(self, size: tuple[int, int]) -> Image:
        gray = self.orientation.upright(self._planes[0].samples) >> (self.layout.bits - 8)
        scaled = cv2.resize(np.ascontiguousarray(gray, np.uint8), size)
        return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_GRAY2BGR), np.uint8)

    def planes(self) -> tuple[Plane, ...]:
        return self._planes
