"""Frame: one picture of a video (or a still) in its native pixel planes, and how it is stored.

A frame is never converted to BGR and back. It offers two things: a reduced upright BGR *view* to
look at, and its *planes*, NumPy views of the samples as they were decoded, to write into.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box

Samples = npt.NDArray[Any]
"""One plane's samples, shape (height, width), uint8 or uint16."""

Image = npt.NDArray[np.uint8]
"""A picture to look at: shape (height, width, 3), BGR, upright."""

_LEAST_VIEW_PX = 640
_VIEW_REDUCTION = 3


class Orientation(enum.Enum):
    """How stored pixels must be turned to stand upright, named by the EXIF number (1 to 8).

    Video rotations and mirror images are mapped to the same eight (TIFF 6.0, tag 274).
    """

    UPRIGHT = 1
    MIRRORED = 2
    ROTATED_180 = 3
    FLIPPED = 4
    TRANSPOSED = 5
    ROTATED_90_CLOCKWISE = 6
    TRANSVERSED = 7
    ROTATED_90_COUNTERCLOCKWISE = 8

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.value >= 5

    def upright(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return stored pixels, shape (height, width, ...), as an upright array (a view)."""
        pixels = stored.swapaxes(0, 1) if self.swaps_sides else stored
        flip_x, flip_y = _FLIPS[self]
        return pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]

    def stored(self, upright: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return upright pixels, shape (height, width, ...), as they are stored (a view)."""
        flip_x, flip_y = _FLIPS[self]
        pixels = upright[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
        return pixels.swapaxes(0, 1) if self.swaps_sides else pixels

    def to_stored(self, box: Box, upright_size: tuple[int, int]) -> Box:
        """Return where a box of the upright picture, size (width, height), lies in the stored."""
        width, height = upright_size
        flip_x, flip_y = _FLIPS[self]
        left, top, right, bottom = box.as_tuple()
        if flip_x:
            left, right = width - right, width - left
        if flip_y:
            top, bottom = height - bottom, height - top
        if self.swaps_sides:
            left, top, right, bottom = top, left, bottom, right
        return Box(left, top, right, bottom)


_FLIPS = {  # after a possible transposition: mirror x, mirror y
    Orientation.UPRIGHT: (False, False),
    Orientation.MIRRORED: (True, False),
    Orientation.ROTATED_180: (True, True),
    Orientation.FLIPPED: (False, True),
    Orientation.TRANSPOSED: (False, False),
    Orientation.ROTATED_90_CLOCKWISE: (True, False),
    Orientation.TRANSVERSED: (True, True),
    Orientation.ROTATED_90_COUNTERCLOCKWISE: (False, True),
}


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """What the planes mean.

    family      "yuv" (Y, Cb, Cr), "rgb" (R, G, B) or "gray"; alpha is never among the planes
    bits        depth of a sample; more than 8 are stored as uint16, in the low bits
    full_range  whether YUV or gray samples use all values, or the video range (16-235 at 8 bit)
    matrix      which YUV matrix: ITU-R BT.601, BT.709 or BT.2020 (ignored for rgb and gray)
    """

    family: Literal["yuv", "rgb", "gray"]
    bits: int = 8
    full_range: bool = True
    matrix: Literal["bt601", "bt709", "bt2020"] = "bt709"

    @property
    def peak(self) -> int:
        """The largest value a sample can have."""
        return (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of a frame: writable samples and their subsampling.

    A plane's sample covers `x_step` by `y_step` pixels of the stored picture (2, 2 for the
    chroma of 4:2:0; 1, 1 for luma).
    """

    samples: Samples
    x_step: int = 1
    y_step: int = 1


class Frame(ABC):
    """One picture on its way from a source to a sink.

    index      0 for the first frame of the source
    pts        presentation time in units of `time_base` seconds; exact
    """

    index: int
    pts: int
    time_base: Fraction
    layout: PixelLayout
    orientation: Orientation

    @property
    def seconds(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels of the upright picture."""

    @abstractmethod
    def view(self, size: tuple[int, int]) -> Image:
        """Return the upright picture, scaled to `size` (width, height), as contiguous BGR."""

    @abstractmethod
    def planes(self) -> tuple[Plane, ...]:
        """Return the color planes, in stored orientation, safe to write into."""


@dataclass(frozen=True, slots=True)
class RedactedFrame:
    """A frame in which every known face is hidden: the only thing a sink accepts.

    Made by `tracker_blur.redaction.redactor` and nowhere else.
    """

    frame: Frame


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before its first frame is decoded.

    size          (width, height) in pixels of the upright picture
    pixel_aspect  width of a stored pixel over its height, turned upright
    rate          frames per second, the container's best guess
    frame_count   the container's claim, or an estimate, or None: for progress only
    is_moving     whether frames follow each other in time; the pages of a document do not
    """

    size: tuple[int, int]
    pixel_aspect: Fraction
    rate: Fraction
    frame_count: int | None
    is_moving: bool = True


def usual_view_px(size: tuple[int, int]) -> int:
    """Return the longest side, in pixels, at which pictures of this size are looked at usually.

    Larger pictures hold smaller faces, relatively, and cost more to write anyway.
    """
    return max(_LEAST_VIEW_PX, round(max(size) / _VIEW_REDUCTION))


def view_size(
    size: tuple[int, int], longest_px: int | None, pixel_aspect: Fraction = Fraction(1)
) -> tuple[int, int]:
    """Return the (width, height) at which a picture is looked at: square pixels, never enlarged.

    The longer side becomes `longest_px` at the most; None: what is usual for its size.
    """
    if longest_px is None:
        longest_px = usual_view_px(size)
    width, height = size[0] * float(pixel_aspect), float(size[1])
    if pixel_aspect > 1:  # shrink the longer axis rather than enlarge the shorter
        width, height = width / float(pixel_aspect), height / float(pixel_aspect)
    ratio = min(1.0, longest_px / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))
