"""Converts and scales pictures with swscale.

FFmpeg's pixel formats as planes: which can be redacted in place, and what their samples mean.

A format is native when each component lies in a plane of its own, in whole bytes of this
machine's order: planar YUV, RGB and gray from 8 to 16 bit. Every other one (nv12, p010, bgr0,
pal8 and such) has a native format that holds the same samples without loss.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Literal

import av
import numpy as np
from av.codec.codec import find_best_pix_fmt_of_list
from av.video.format import VideoFormat
from av.video.format import names as format_names  # type: ignore[attr-defined]  # not in stubs
from av.video.reformatter import VideoReformatter

from tracker_blur.core.frame import PixelLayout, Plane, Samples

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


_PLANAR = ("yuv", "gbr", "gray")
_PROBE_PX = 64  # a size that every subsampling divides
_MATRICES: dict[int, Literal["bt601", "bt709", "bt2020"]] = {  # ITU-T H.273, table 4
    1: "bt709",
    4: "bt601",
    5: "bt601",
    6: "bt601",
    7: "bt709",  # SMPTE 240M: nearest
    9: "bt2020",
    10: "bt2020",
}
_UNSPECIFIED_RANGE, _LIMITED_RANGE, _FULL_RANGE = 0, 1, 2  # ITU-T H.273, as FFmpeg numbers them
_HD_LINES = 720  # untagged pictures from this height on follow BT.709, lower ones BT.601


@functools.cache
def is_native(name: str) -> bool:
    """Return whether frames of this format can be redacted in place."""
    if not name.startswith(_PLANAR):
        return False
    video_format = VideoFormat(name, _PROBE_PX, _PROBE_PX)
    planes = [component.plane for component in video_format.components]
    bits = [component.bits for component in video_format.components]
    return (
        len(set(planes)) == len(planes)
        and all(8 <= depth <= 16 for depth in bits)
        and "f16" not in name  # floating point
        and "msb" not in name  # samples in the high bits
        and (max(bits) == 8 or video_format.is_big_endian == (sys.byteorder == "big"))
    )


@functools.cache
def nearest_native(name: str) -> str:
    """Return the native format that holds frames of this one, without loss where one exists."""
    if is_native(name):
        return name
    natives = sorted(candidate for candidate in format_names if is_native(candidate))
    components = VideoFormat(name, _PROBE_PX, _PROBE_PX).components
    has_alpha = name == "pal8" or any(component.is_alpha for component in components)
    best, _ = find_best_pix_fmt_of_list(natives, name, has_alpha=has_alpha)
    if best is None:
        raise ValueError(f"no planar format for pixel format {name}")
    return best.name


def _family(name: str) -> Literal["yuv", "rgb", "gray"]:
    if name.startswith("gbr"):
        return "rgb"
    return "gray" if name.startswith("gray") else "yuv"


def layout(picture: av.VideoFrame) -> PixelLayout:
    """Return what the planes of a native frame mean, by its tags.

    Where tags are missing: YUV has the video range, gray the full one; the matrix goes by height.
    """
    name = picture.format.name
    family = _family(name)
    tag = picture.color_range
    if family == "rgb" or name.startswith("yuvj"):
        full_range = True
    elif tag == _UNSPECIFIED_RANGE:
        full_range = family == "gray"
    else:
        full_range = tag == _FULL_RANGE
    by_height: Literal["bt601", "bt709"] = "bt709" if picture.height >= _HD_LINES else "bt601"
    return PixelLayout(
        family=family,
        bits=picture.format.components[0].bits,
        full_range=full_range,
        matrix=_MATRICES.get(picture.colorspace, by_height),
    )


def planes(picture: av.VideoFrame) -> tuple[Plane, ...]:
    """Return the color planes of a native frame, writable, without alpha; RGB as R, G, B."""
    video_format = picture.format
    probe = VideoFormat(video_format.name, _PROBE_PX, _PROBE_PX)
    found = []
    for component, probed in zip(video_format.components, probe.components, strict=True):
        if component.is_alpha:
            continue
        found.append(
            Plane(
                _samples(picture.planes[component.plane], component.bits),
                x_step=_PROBE_PX // probed.width,
                y_step=_PROBE_PX // probed.height,
            )
        )
    return tuple(found)


def _samples(plane: Any, bits: int) -> Samples:
    dtype: np.dtype[Any] = np.dtype(np.uint8 if bits == 8 else np.uint16)
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))
    samples = rows[:, : plane.width * dtype.itemsize].view(dtype)
    return samples[::-1] if plane.line_size < 0 else samples  # stored bottom up
