"""VideoTrack: what an encoder must know of the picture track that it replaces."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from tracker_blur.video.side_data import DisplayMatrix, Light, Mastering


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
