"""Converts and scales pictures with swscale."""

from __future__ import annotations

from typing import Any

import av
from av.video.reformatter import VideoReformatter

_UNSPECIFIED = 2  # ITU-T H.273, for primaries and transfer
_BT2020_CONSTANT, _BT2020 = 10, 9


def reformatted(
    reformatter: VideoReformatter,
    picture: av.VideoFrame,
    size: tuple[int, int],
    pixel_format: str,
    **options: Any,
) -> av.VideoFrame:
    """Return the picture at another size, in pixels, and in another format, tagged as before.

    Tags that swscale refuses to work with, such as reserved ones, do not matter for this and are
    hidden from it. `options` are those of PyAV's VideoReformatter.
    """
    primaries, transfer, matrix = (
        picture.color_primaries,
        picture.color_trc,
        picture.colorspace,
    )
    picture.color_primaries = picture.color_trc = _UNSPECIFIED
    if matrix == _BT2020_CONSTANT:
        picture.colorspace = _BT2020
    try:
        result = reformatter.reformat(picture, *size, pixel_format, threads=1, **options)
    finally:
        picture.color_primaries, picture.color_trc = primaries, transfer
        picture.colorspace = matrix
    if result is not picture:
        result.color_primaries, result.color_trc = primaries, transfer
        if matrix == _BT2020_CONSTANT and options.get("dst_colorspace") is None:
            result.colorspace = matrix
    return result
