"""What a decoded frame carries beside its samples: the display matrix and the HDR metadata.

HDR metadata in the words of each encoder that can write it.

VideoTrack: what an encoder must know of the picture track that it replaces.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av
from av.sidedata.sidedata import Type

from tracker_blur.core.frame import Orientation

DisplayMatrix: TypeAlias = tuple[int, ...]
"""Nine integers a b u, c d v, x y w, as ISO 14496-12 (6.2.2) stores them.

A stored pixel (p, q) is shown at (a p + c q + x, b p + d q + y); a to d are 16.16 fixed point.
"""

_ONE = 1 << 16
_TURNS = {  # signs of a, b, c, d
    Orientation.UPRIGHT: (1, 0, 0, 1),
    Orientation.MIRRORED: (-1, 0, 0, 1),
    Orientation.ROTATED_180: (-1, 0, 0, -1),
    Orientation.FLIPPED: (1, 0, 0, -1),
    Orientation.TRANSPOSED: (0, 1, 1, 0),
    Orientation.ROTATED_90_CLOCKWISE: (0, 1, -1, 0),
    Orientation.TRANSVERSED: (0, -1, -1, 0),
    Orientation.ROTATED_90_COUNTERCLOCKWISE: (0, -1, 1, 0),
}


@dataclass(frozen=True, slots=True)
class Mastering:
    """The display a video was graded on (SMPTE ST 2086).

    primaries             CIE 1931 (x, y) of red, green, blue and the white point
    luminance             (lowest, highest) in candela per square meter
    """

    primaries: tuple[tuple[Fraction, Fraction], ...]
    luminance: tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Light:
    """Content light levels (CTA-861.3): of the brightest pixel, and of the brightest frame."""

    max_content: int
    max_frame_average: int


def display_matrix(picture: av.VideoFrame) -> DisplayMatrix | None:
    """Return the matrix that a decoded frame carries, or None."""
    data = _side_data(picture, Type.DISPLAYMATRIX)
    if data is not None:
        return struct.unpack("=9i", data)
    return _rotation_matrix(picture.rotation) if picture.rotation else None


def orientation(matrix: DisplayMatrix | None) -> Orientation:
    """Return the orientation nearest to a matrix, which may hold any angle."""
    if matrix is None:
        return Orientation.UPRIGHT
    a, b, _, c, d = matrix[:5]
    return max(
        _TURNS,
        key=lambda turn: sum(
            sign * entry for sign, entry in zip(_TURNS[turn], (a, b, c, d), strict=True)
        ),
    )


def mastering(picture: av.VideoFrame) -> Mastering | None:
    """Return the mastering display's volume, or None where a frame has none, or half of one."""
    data = _side_data(picture, Type.MASTERING_DISPLAY_METADATA)
    if data is None:
        return None
    # AVMasteringDisplayMetadata: ten rationals (primaries, white point, luminance), two flags.
    *terms, has_primaries, has_luminance = struct.unpack("=22i", data[:88])
    if not (has_primaries and has_luminance and all(terms[1::2])):
        return None
    values = [Fraction(*pair) for pair in zip(terms[::2], terms[1::2], strict=True)]
    primaries = tuple(zip(values[0:8:2], values[1:8:2], strict=True))
    return Mastering(primaries, (values[8], values[9]))


def light(picture: av.VideoFrame) -> Light | None:
    """Return the content light levels, or None."""
    data = _side_data(picture, Type.CONTENT_LIGHT_LEVEL)
    return None if data is None else Light(*struct.unpack("=2I", data[:8]))


def _side_data(picture: av.VideoFrame, kind: Type) -> bytes | None:
    try:
        table: Any = picture.side_data
        return bytes(table[kind])
    except (KeyError, ValueError):  # PyAV's whole table fails on one kind it does not know
        return None


def _rotation_matrix(degrees: int) -> DisplayMatrix:
    """Return the matrix that turns counterclockwise by this angle."""
    cos = round(math.cos(math.radians(degrees)) * _ONE)
    sin = round(math.sin(math.radians(degrees)) * _ONE)
    return cos, -sin, 0, sin, cos, 0, 0, 0, 1 << 30


_CHROMATICITY_UNIT = Fraction(1, 50_000)  # ITU-T H.265, D.3.28
_LUMINANCE_UNIT = Fraction(1, 10_000)


def hdr_options(encoder: str, mastering: Mastering | None, light: Light | None) -> str:
    """Return settings to add to those of libx264, libx265 or libsvtav1; empty for the others."""
    names = {
        "libx264": ("mastering-display", "cll"),
        "libx265": ("master-display", "max-cll"),
        "libsvtav1": ("mastering-display", "content-light"),
    }.get(encoder)
    if names is None:
        return ""
    settings = []
    if mastering is not None:
        as_text = _decimal if encoder == "libsvtav1" else _integer
        settings.append(f"{names[0]}={as_text(mastering)}")
    if light is not None:
        settings.append(f"{names[1]}={light.max_content},{light.max_frame_average}")
    return ":".join(settings)


def _integer(mastering: Mastering) -> str:
    """As SMPTE ST 2086 counts: the units of the bit streams."""
    primaries = [
        f"({round(x / _CHROMATICITY_UNIT)},{round(y / _CHROMATICITY_UNIT)})"
        for x, y in mastering.primaries
    ]
    low, high = (round(value / _LUMINANCE_UNIT) for value in mastering.luminance)
    return _joined(primaries, f"({high},{low})")


def _decimal(mastering: Mastering) -> str:
    primaries = [f"({float(x):.5f},{float(y):.5f})" for x, y in mastering.primaries]
    low, high = (float(value) for value in mastering.luminance)
    return _joined(primaries, f"({high:.4f},{low:.4f})")


def _joined(primaries: list[str], luminance: str) -> str:
    red, green, blue, white = primaries
    return f"G{green}B{blue}R{red}WP{white}L{luminance}"


@dataclass(frozen=True, slots=True)
class ColorTags:
    """How the samples are to be shown: code points of ITU-T H.273, range as FFmpeg numbers it."""

    primaries: int
    transfer: int
    matrix: int
    range: int


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The picture track of a file, as its first frame and its container tell.

    index           of the track in its file
    codec           FFmpeg's name of the codec, such as "h264"
    pixel_format    FFmpeg's name of the frames' format, after the conversion to a native one
    size            (width, height) in pixels of the stored picture
    pixel_aspect    width of a stored pixel over its height
    rate            frames per second, the container's best guess
    time_base       seconds, the unit of the frames' pts
    clock_start     seconds on the file's clock at which it starts; 0 unless the clock is arbitrary
    matrix          how the stored picture is turned for showing
    is_interlaced   whether the first frame is
    """

    index: int
    codec: str
    pixel_format: str
    size: tuple[int, int]
    pixel_aspect: Fraction
    rate: Fraction
    time_base: Fraction
    clock_start: Fraction
    color: ColorTags
    matrix: DisplayMatrix | None
    mastering: Mastering | None
    light: Light | None
    is_interlaced: bool


class VideoInput(Protocol):
    """The source of a video, as far as its sink has to know it.

    is_partial   whether the source ended early, and that was accepted; known at its end
    """

    track: VideoTrack
    is_partial: bool
