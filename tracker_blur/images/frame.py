"""ImageFrame: a still image, a page or a frame of an animation, and how its file stored it.

Pixels are always upright here: an orientation tag is applied on reading and never written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Frame, Image, Orientation, PixelLayout, Plane, Samples

if TYPE_CHECKING:
    from collections.abc import Mapping

ANIMATED_FORMATS = frozenset({"AVIF", "GIF", "PNG", "WEBP"})
"""Formats that can hold animations."""

MANY_FRAMES_FORMATS = ANIMATED_FORMATS | {"TIFF"}
"""Formats that can hold several frames or pages."""

OPAQUE_FORMATS = frozenset({"BMP", "JPEG"})
"""Formats that are written without transparency; in BMP, Pillow does not write it."""

MICROSECOND = Fraction(1, 1_000_000)

_DEFAULT_DURATION = 100_000  # microseconds, if a file states none: as browsers assume


def upper_8_bits(samples: Samples) -> npt.NDArray[np.uint8]:
    """Return samples of 8 bits as they are, and of 16 bits the upper 8."""
    return samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)


def blue_first(samples: Samples) -> Samples:
    """Return samples in the order that OpenCV takes.

    Args:
        samples: Shape (height, width), or (height, width, 3 or 4) with red first.
    """
    if samples.ndim == 2:
        return samples
    return np.ascontiguousarray(samples[..., [2, 1, 0, 3][: samples.shape[2]]])


def changed_box(before: ImageFrame, after: ImageFrame) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of what differs between frames; at least one pixel."""
    differs = np.zeros(after.channels[0].shape, np.bool_)
    for old, new in zip(_with_alpha(before), _with_alpha(after), strict=True):
        differs |= old != new
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not rows.size:
        return (0, 0, 1, 1)
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def cropped(frame: ImageFrame, box: tuple[int, int, int, int]) -> ImageFrame:
    """Return the part of a frame in a box of (left, top, right, bottom), in memory of its own."""
    left, top, right, bottom = box

    def part(plane: Samples) -> Samples:
        return np.ascontiguousarray(plane[top:bottom, left:right])

    alpha = None if frame.alpha is None else part(frame.alpha)
    return replace(frame, channels=tuple(map(part, frame.channels)), alpha=alpha)


def _with_alpha(frame: ImageFrame) -> tuple[Samples, ...]:
    channels = frame.channels if len(frame.channels) == 3 else frame.channels * 3
    if frame.alpha is not None:
        return (*channels, frame.alpha)
    return (*channels, np.full_like(channels[0], np.iinfo(channels[0].dtype).max))


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a file stored an image, as far as an output can store it the same way.

    It never holds thumbnails, previews, XMP, IPTC, maker notes or comments.

    Attributes:
        format: Pillow's name of the format; "" for an image that comes from no file.
        icc_profile: The color profile, which names no one.
        dpi: Pixels per inch, across and down.
        is_bilevel: Samples are only black or white.
        plays: How often an animation is shown; 0: forever.
        exif: The harmless tags, see `tracker_blur.images.exif`; written only on request.
        png_chunks: The PNG chunks about colors and the size of a pixel.
        options: Parameters with which the format's encoder stores an image like this.
    """

    format: str = ""
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    is_bilevel: bool = False
    plays: int = 0
    exif: bytes = b""
    png_chunks: bytes = b""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class ImageFrame(Frame):
    """A still image, a page, or a frame of an animation.

    Attributes:
        channels: (red, green, blue) or (gray,), each of shape (height, width), contiguous, uint8
            or uint16.
        alpha: Opacity of the same shape and dtype; None: all opaque. It is never redacted, but the
            colors under transparent pixels are.
        palette: The colors, as 0xRRGGBB, of a frame from a format with palettes; None: any.
        duration: How long the frame is shown, in units of `time_base` seconds; 0: not stated.
    """

    channels: tuple[Samples, ...]
    alpha: Samples | None = None
    palette: npt.NDArray[np.uint32] | None = None
    encoding: Encoding = field(default_factory=Encoding)
    index: int = 0
    pts: int = 0
    duration: int = 0
    time_base: Fraction = MICROSECOND
    layout: PixelLayout = field(init=False)
    orientation: Orientation = field(init=False, default=Orientation.UPRIGHT)

    def __post_init__(self) -> None:
        self.layout = PixelLayout(
            family="rgb" if len(self.channels) == 3 else "gray",
            bits=8 * self.channels[0].itemsize,
        )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width = self.channels[0].shape
        return width, height

    @property
    def is_opaque(self) -> bool:
        """Whether nothing of the image is transparent."""
        alpha = self.alpha
        return alpha is None or int(alpha.min()) == np.iinfo(alpha.dtype).max

    def clear_hidden(self) -> None:
        """Blacken the colors of fully transparent pixels, which any program can show again."""
        if self.alpha is None:
            return
        hidden = self.alpha == 0
        if hidden.any():
            for channel in self.channels:
                channel[hidden] = 0

    @property
    def shown_duration(self) -> int:
        """For how long viewers show the frame, in microseconds."""
        return self.duration or _DEFAULT_DURATION

    def view(self, size: tuple[int, int]) -> Image:
        """Return the image without its transparency, scaled to (width, height), as BGR.

        With 16 bits, the brightest sample of the view becomes white: cameras often fill only the
        lower 10 to 14 bits, and faces must be detected there too.
        """
        is_enlarged = size[0] > self.size[0] or size[1] > self.size[1]
        interpolation = cv2.INTER_CUBIC if is_enlarged else cv2.INTER_AREA
        reduced = [cv2.resize(c, size, interpolation=interpolation) for c in self.channels]
        if self.layout.bits > 8:
            brightest = max(1, *(int(c.max()) for c in reduced))
            reduced = [cv2.convertScaleAbs(c, alpha=255 / brightest) for c in reduced]
        if len(reduced) == 1:
            reduced *= 3
        return np.asarray(cv2.merge(reduced[::-1]), np.uint8)

    def planes(self) -> tuple[Plane, ...]:
        """Return the color channels, safe to write into, without alpha."""
        return tuple(Plane(channel) for channel in self.channels)

    @property
    def size_bytes(self) -> int:
        """How much memory its samples take."""
        return sum(channel.nbytes for channel in self.channels)

    def duplicate(self) -> ImageFrame:
        """Return the same image with color channels of its own."""
        return replace(self, channels=tuple(channel.copy() for channel in self.channels))
