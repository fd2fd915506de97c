"""Pictures in memory: one frame each, and what is known of how a file stored them.

The modules beside this one hold what is special to a format; the source and the sink for
pictures are built from them. Pixels are always upright here: an orientation tag is applied when a
picture is read, and never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Frame, Image, Orientation, PixelLayout, Plane, Samples

ANIMATED_FORMATS = frozenset({"GIF", "PNG", "WEBP"})
"""Formats that can hold frames shown one after the other."""

MANY_FRAMES_FORMATS = ANIMATED_FORMATS | {"TIFF"}
"""Formats that can hold several frames, or several pages."""

MICROSECOND = Fraction(1, 1_000_000)


def eight_bits(samples: Samples) -> npt.NDArray[np.uint8]:
    """Return samples of 8 or 16 bits as the upper 8 of them."""
    return samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a file stored a picture, as far as an output can store it the same way.

    It never holds thumbnails, previews, XMP, IPTC, maker notes or comments.

    format       Pillow's name of the format; "" for a picture that comes from no file
    icc_profile  what the samples mean, as an ICC profile
    dpi          pixels per inch, across and down
    is_bilevel   samples are only black or white
    plays        how often an animation is shown; 0: forever
    exif         the harmless tags, see `tracker_blur.images.exif`; written only on demand
    png_chunks   the PNG chunks that tell how colors and sizes are meant, as stored
    options      what the format's encoder must be told to store a picture like this
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
    """A still picture, a page, or a frame of an animation.

    channels   (red, green, blue) or (gray,), each of shape (height, width), contiguous, uint8 or
               uint16
    alpha      opacity of the same shape and dtype; None: all opaque. It is never hidden, but the
               colors of pixels that it makes transparent are
    palette    the colors, as 0xRRGGBB, that a format with a palette has for this frame; None: any
    duration   how long the frame is shown, in units of `time_base` seconds
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

    def view(self, size: tuple[int, int]) -> Image:
        """Return the picture without its transparency, scaled to (width, height), as BGR.

        Of 16-bit samples the brightest of the view becomes white: cameras often fill only the
        lower 10 to 14 bits, and a face must be seen in those too.
        """
        reduced = [cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in self.channels]
        if self.layout.bits > 8:
            brightest = max(1, *(int(c.max()) for c in reduced))
            reduced = [cv2.convertScaleAbs(c, alpha=255 / brightest) for c in reduced]
        if len(reduced) == 1:
            reduced *= 3
        return np.asarray(cv2.merge(reduced[::-1]), np.uint8)

    def planes(self) -> tuple[Plane, ...]:
        """Return the color channels, safe to write into; alpha is not among them."""
        return tuple(Plane(channel) for channel in self.channels)
