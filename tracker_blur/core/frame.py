"""Frames in their native pixel planes, and the protocols that read and write them.

A frame, of a video or a still image, is never converted to BGR and back. It offers a reduced
upright BGR *view* for detection, and its *planes*: NumPy views of the decoded samples, to write
into.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

Samples = npt.NDArray[Any]
"""One plane's samples, shape (height, width), uint8 or uint16."""

Image = npt.NDArray[np.uint8]
"""An upright image for detection: shape (height, width, 3), BGR."""

_MIN_VIEW_PX = 640
_VIEW_REDUCTION = 3


class Orientation(enum.Enum):
    """How stored pixels are turned to stand upright, by EXIF number (TIFF 6.0, tag 274).

    Rotations of videos are mapped to the same eight values.
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
        """Whether width and height are exchanged."""
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
        """Return a box of the upright frame, size (width, height), in stored pixels."""
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


_FLIPS = {  # (flip x, flip y), after the transposition if there is one
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
    """What the samples of the planes mean.

    Attributes:
        family: "yuv" (Y, Cb, Cr), "rgb" (R, G, B) or "gray"; alpha is never among the planes.
        bits: Depth of a sample. More than 8 bits are stored as uint16, in the low bits.
        full_range: Whether YUV or gray samples use all values, or the video range (16-235 at 8
            bits).
        matrix: YUV matrix: ITU-R BT.601, BT.709 or BT.2020. Ignored for rgb and gray.
    """

    family: Literal["yuv", "rgb", "gray"]
    bits: int = 8
    full_range: bool = True
    matrix: Literal["bt601", "bt709", "bt2020"] = "bt709"

    @property
    def peak(self) -> int:
        """The largest sample value."""
        return (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of a frame.

    Attributes:
        samples: Writable, in stored orientation.
        x_step: Stored pixels that a sample covers horizontally: 2 for the chroma of 4:2:0, 1 for
            luma.
        y_step: The same, vertically.
    """

    samples: Samples
    x_step: int = 1
    y_step: int = 1


class Frame(ABC):
    """One frame on its way from a reader to a writer.

    Attributes:
        index: 0 for the first frame of the input.
        pts: Presentation time in units of `time_base` seconds; exact.
        time_base: Unit of `pts`, in seconds.
        layout: What the samples mean.
        orientation: How the stored pixels are turned to stand upright.
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
        """(width, height) in pixels of the upright frame."""

    @abstractmethod
    def view(self, size: tuple[int, int]) -> Image:
        """Return the upright frame, scaled to `size` (width, height), as contiguous BGR."""

    @abstractmethod
    def planes(self) -> tuple[Plane, ...]:
        """Return the color planes, in stored orientation, to write into."""


@dataclass(frozen=True, slots=True)
class RedactedFrame:
    """A frame in which every known face is hidden: the only thing that a writer accepts.

    Only `tracker_blur.redaction.redactor` makes one.
    """

    frame: Frame


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of an input before its first frame is decoded.

    Attributes:
        size: (width, height) in pixels of the upright frame.
        pixel_aspect: Width of a pixel over its height, turned upright.
        rate: Frames per second, the container's best guess.
        frame_count: The container's claim, an estimate, or None. For progress only.
        is_moving: Whether frames follow each other in time; the pages of a document do not.
    """

    size: tuple[int, int]
    pixel_aspect: Fraction
    rate: Fraction
    frame_count: int | None
    is_moving: bool = True


def default_view_px(size: tuple[int, int]) -> int:
    """Return the longest side of the view, in pixels, for frames of this size.

    Faces are relatively smaller in larger frames, which also cost more to write anyway.
    """
    return max(_MIN_VIEW_PX, round(max(size) / _VIEW_REDUCTION))


def view_size(
    size: tuple[int, int],
    longest_px: int | None,
    pixel_aspect: Fraction = Fraction(1),
    max_enlargement: float = 1.0,
) -> tuple[int, int]:
    """Return the (width, height) of a frame's view, in square pixels.

    Args:
        size: (width, height) of the frame.
        longest_px: Longest side of the view, at most. None: `default_view_px`.
        pixel_aspect: Width of a frame's pixel over its height.
        max_enlargement: How many times larger than the frame the view may be.
    """
    if longest_px is None:
        longest_px = default_view_px(size)
    width, height = size[0] * float(pixel_aspect), float(size[1])
    if pixel_aspect > 1:  # shrink the longer axis rather than enlarge the shorter
        width, height = width / float(pixel_aspect), height / float(pixel_aspect)
    ratio = min(max_enlargement, longest_px / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


class FrameReader(Protocol):
    """An input: the constructor opens it, `with` closes it.

    Iterating raises SourceError when the input is truncated: a part is never accepted as complete.

    Attributes:
        info: What is known before the first frame.
        warnings: What the user should know, as soon as it is known, such as why a partial input
            ended early.
    """

    info: VideoInfo
    warnings: tuple[str, ...]

    def __iter__(self) -> Iterator[Frame]:
        """Yield each frame once, in presentation order."""
        ...

    def __enter__(self) -> FrameReader: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class FrameWriter(Protocol):
    """An output, used with `with`.

    After the block the output is complete and in its place. If the block raises, nothing of it
    remains.

    Attributes:
        warnings: What the user should know about the output.
    """

    warnings: tuple[str, ...]

    def write(self, redacted: RedactedFrame) -> None:
        """Write one frame.

        Raises:
            SinkError: it cannot be written.
        """
        ...

    def __enter__(self) -> FrameWriter: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
