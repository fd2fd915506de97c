"""Frames made of arrays, in every pixel layout, for tests of several packages."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Frame, Image, Orientation, PixelLayout, Plane

if TYPE_CHECKING:
    from collections.abc import Sequence

LAYOUTS: dict[str, tuple[PixelLayout, tuple[tuple[int, int], ...]]] = {
    "yuv420p": (PixelLayout("yuv", 8, False, "bt709"), ((1, 1), (2, 2), (2, 2))),
    "yuvj422p": (PixelLayout("yuv", 8, True, "bt601"), ((1, 1), (2, 1), (2, 1))),
    "yuv411p": (PixelLayout("yuv", 8, False, "bt601"), ((1, 1), (4, 1), (4, 1))),
    "yuv420p10": (PixelLayout("yuv", 10, False, "bt2020"), ((1, 1), (2, 2), (2, 2))),
    "yuv422p16": (PixelLayout("yuv", 16, False, "bt709"), ((1, 1), (2, 1), (2, 1))),
    "yuv440p": (PixelLayout("yuv", 8, False, "bt709"), ((1, 1), (1, 2), (1, 2))),
    "yuv444p12": (PixelLayout("yuv", 12, True, "bt709"), ((1, 1), (1, 1), (1, 1))),
    "gray": (PixelLayout("gray", 8), ((1, 1),)),
    "gray16": (PixelLayout("gray", 16), ((1, 1),)),
    "rgb24": (PixelLayout("rgb", 8), ((1, 1), (1, 1), (1, 1))),
    "gbrp16": (PixelLayout("rgb", 16), ((1, 1), (1, 1), (1, 1))),
}


class ArrayFrame(Frame):
    """A frame with the planes of a test; its view is the first plane in gray."""

    def __init__(
        self,
        planes: Sequence[Plane],
        layout: PixelLayout,
        orientation: Orientation = Orientation.UPRIGHT,
        index: int = 0,
    ) -> None:
        """Take planes in stored orientation, the first of them at full size."""
        self.index = index
        self.pts = index
        self.time_base = Fraction(1, 25)
        self.layout = layout
        self.orientation = orientation
        self._planes = tuple(planes)

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._planes[0].samples.shape
        return (height, width) if self.orientation.swaps_sides else (width, height)

    def view(self, size: tuple[int, int]) -> Image:
        gray = self.orientation.upright(self._planes[0].samples) >> (self.layout.bits - 8)
        scaled = cv2.resize(np.ascontiguousarray(gray, np.uint8), size)
        return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_GRAY2BGR), np.uint8)

    def planes(self) -> tuple[Plane, ...]:
        return self._planes

    def samples(self) -> list[npt.NDArray[np.generic]]:
        """Return copies of all planes' samples."""
        return [plane.samples.copy() for plane in self._planes]


def noise_frame(
    layout: str,
    stored_size: tuple[int, int],
    orientation: Orientation = Orientation.UPRIGHT,
    seed: int = 0,
) -> ArrayFrame:
    """Return a frame of random samples.

    Its planes are views into larger, interleaved arrays: neither contiguous nor alone in memory, as
    those of NV12 or of packed RGB.
    """
    meaning, steps = LAYOUTS[layout]
    width, height = stored_size
    dtype = np.uint8 if meaning.bits == 8 else np.uint16
    rng = np.random.default_rng(seed)
    planes = []
    for x_step, y_step in steps:
        shape = (-(-height // y_step), -(-width // x_step), 2)
        both = rng.integers(0, meaning.peak, shape, endpoint=True).astype(dtype)
        planes.append(Plane(both[..., 0], x_step, y_step))
    return ArrayFrame(planes, meaning, orientation)
