"""VideoTrack: what an encoder must know of the video that it replaces.

Also what decoded frames carry besides their samples: the display matrix and HDR metadata.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from av.sidedata.sidedata import Type

from tracker_blur.core.frame import Orientation

if TYPE_CHECKING:
    import av

    from tracker_blur.files.identity import FileIdentity

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
class ColorTags:
    """How samples are to be shown: code points of ITU-T H.273, range as FFmpeg numbers it."""

    primaries: int
    transfer: int
    matrix: int
    range: int


@dataclass(frozen=True, slots=True)
class Mastering:
    """The display a video was graded on (SMPTE ST 2086).

    Attributes:
        primaries: CIE 1931 (x, y) of red, green, blue and the white point.
        luminance: (lowest, highest) in candela per square meter.
    """

    primaries: tuple[tuple[Fraction, Fraction], ...]
    luminance: tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Light:
    """Content light levels (CTA-861.3): of the brightest pixel, and of the brightest frame."""

    max_content: int
    max_frame_average: int


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The video track of a file, as its container and its first frame describe it.

    Attributes:
        index: Of the track in its file.
        codec: FFmpeg's name, such as "h264".
        pixel_format: FFmpeg's name, after the conversion to a native format.
        size: (width, height) in pixels of the stored frame.
        pixel_aspect: Width of a stored pixel over its height.
        rate: Frames per second, the container's best guess.
        time_base: Seconds, the unit of the frames' pts.
        clock_start: Seconds on the file's clock when it starts; 0 unless that clock is arbitrary.
        color: The color tags.
        matrix: How the stored frame is turned for showing.
        mastering: HDR metadata, if there is any.
        light: HDR metadata, if there is any.
        is_interlaced: Whether the first frame is.
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
    """The reader of a video, as far as its writer must know it.

    Attributes:
        identity: Of its file.
        track: The video track.
        is_partial: Whether the video ended early, and that was accepted; known at its end.
    """

    identity: FileIdentity
    track: VideoTrack
    is_partial: bool


def square_size(size: tuple[int, int], pixel_aspect: Fraction) -> tuple[int, int]:
    """Return the smallest size in square pixels, in the same proportions, that loses no detail."""
    width, height = size
    return max(width, round(width * pixel_aspect)), max(height, round(height / pixel_aspect))


def display_matrix(frame: av.VideoFrame) -> DisplayMatrix | None:
    """Return the matrix that a decoded frame carries, or None."""
    data = side_data(frame, Type.DISPLAYMATRIX)
    if data is not None:
        return struct.unpack("=9i", data)
    return _rotation_matrix(frame.rotation) if frame.rotation else None


def _rotation_matrix(degrees: int) -> DisplayMatrix:
    """Return the matrix that turns counterclockwise by this angle."""
    cos = round(math.cos(math.radians(degrees)) * _ONE)
    sin = round(math.sin(math.radians(degrees)) * _ONE)
    return cos, -sin, 0, sin, cos, 0, 0, 0, 1 << 30


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


def mastering(frame: av.VideoFrame) -> Mastering | None:
    """Return the mastering display, or None if the frame lacks it or a part of it."""
    data = side_data(frame, Type.MASTERING_DISPLAY_METADATA)
    if data is None:
        return None
    # AVMasteringDisplayMetadata: ten rationals (primaries, white point, luminance), two flags.
    *terms, has_primaries, has_luminance = struct.unpack("=22i", data[:88])
    if not (has_primaries and has_luminance and all(terms[1::2])):
        return None
    values = [Fraction(*pair) for pair in zip(terms[::2], terms[1::2], strict=True)]
    primaries = tuple(zip(values[0:8:2], values[1:8:2], strict=True))
    return Mastering(primaries, (values[8], values[9]))


def light(frame: av.VideoFrame) -> Light | None:
    """Return the content light levels, or None."""
    data = side_data(frame, Type.CONTENT_LIGHT_LEVEL)
    return None if data is None else Light(*struct.unpack("=2I", data[:8]))


def side_data(frame: av.VideoFrame, kind: Type) -> bytes | None:
    """Return the metadata of one kind that a decoded frame carries, or None."""
    try:
        table: Any = frame.side_data
        return bytes(table[kind])
    except (KeyError, ValueError):  # a single kind that PyAV does not know spoils its whole table
        return None
