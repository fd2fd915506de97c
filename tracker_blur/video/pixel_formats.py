"""FFmpeg's pixel formats as planes: which can be redacted in place, and what their samples mean.

A format is native if each component lies in a plane of its own, in whole bytes of this machine's
order: planar YUV, RGB and gray from 8 to 16 bits. Every other format (nv12, p010, bgr0, pal8 and
such) has a native one that holds the same samples without loss.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from av.codec.codec import find_best_pix_fmt_of_list
from av.video.format import VideoFormat
from av.video.format import names as format_names  # type: ignore[attr-defined]  # not in stubs
from av.video.reformatter import Colorspace

from tracker_blur.core.frame import PixelLayout, Plane, Samples

if TYPE_CHECKING:
    import av
    from av.video.reformatter import VideoReformatter

_PLANAR = ("yuv", "gbr", "gray")
_PROBE_PX = 64  # a size that every subsampling divides

# Color tags: ITU-T H.273, table 4; ranges as FFmpeg numbers them
_BT2020, _BT2020_CONSTANT_LUMINANCE = 9, 10
_UNSPECIFIED = 2
_SWSCALE_TAGS = {0, 1, _UNSPECIFIED, 4, 6, 7, _BT2020}
_NEAREST_TAGS = {5: 6, _BT2020_CONSTANT_LUMINANCE: _BT2020}  # 5 and 6 are one matrix
_MATRICES: dict[int, Literal["bt601", "bt709", "bt2020"]] = {
    1: "bt709",
    4: "bt601",
    5: "bt601",
    6: "bt601",
    7: "bt709",  # SMPTE 240M: nearest
    _BT2020: "bt2020",
    _BT2020_CONSTANT_LUMINANCE: "bt2020",
}
_UNSPECIFIED_RANGE, _FULL_RANGE = 0, 2
_HD_LINES = 720

SWSCALE_MATRIX = {"bt601": Colorspace.ITU601, "bt709": Colorspace.ITU709}
"""swscale's name of each matrix. BT.2020 is not there: it is always tagged."""


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
def has_alpha(name: str) -> bool:
    """Return whether a pixel format has an alpha channel, or a palette that may have one."""
    return name == "pal8" or any(component.is_alpha for component in VideoFormat(name).components)


@functools.cache
def nearest_native(name: str) -> str:
    """Return the native format that holds frames of this one, without loss if there is one."""
    if is_native(name):
        return name
    natives = sorted(candidate for candidate in format_names if is_native(candidate))
    best, _ = find_best_pix_fmt_of_list(natives, name, has_alpha=has_alpha(name))
    if best is None:
        raise ValueError(f"no planar format for pixel format {name}")
    return best.name


def layout(frame: av.VideoFrame) -> PixelLayout:
    """Return what the planes of a native frame mean, by its tags.

    Without tags, YUV has the video range and gray the full one, and the height decides the matrix.
    """
    name = frame.format.name
    family = _family(name)
    tag = frame.color_range
    if family == "rgb" or name.startswith("yuvj"):
        full_range = True
    elif tag == _UNSPECIFIED_RANGE:
        full_range = family == "gray"
    else:
        full_range = tag == _FULL_RANGE
    return PixelLayout(
        family=family,
        bits=frame.format.components[0].bits,
        full_range=full_range,
        matrix=_MATRICES.get(frame.colorspace) or untagged_matrix(frame.height),
    )


def untagged_matrix(height: int) -> Literal["bt601", "bt709"]:
    """Return the matrix of YUV frames of this height whose tags do not state it."""
    return "bt709" if height >= _HD_LINES else "bt601"


def _family(name: str) -> Literal["yuv", "rgb", "gray"]:
    if name.startswith("gbr"):
        return "rgb"
    return "gray" if name.startswith("gray") else "yuv"


def planes(frame: av.VideoFrame) -> tuple[Plane, ...]:
    """Return the color planes of a native frame, writable, without alpha; RGB as R, G, B."""
    video_format = frame.format
    probe = VideoFormat(video_format.name, _PROBE_PX, _PROBE_PX)
    color_planes = []
    for component, probed in zip(video_format.components, probe.components, strict=True):
        if component.is_alpha:
            continue
        color_planes.append(
            Plane(
                samples(frame.planes[component.plane], component.bits),
                x_step=_PROBE_PX // probed.width,
                y_step=_PROBE_PX // probed.height,
            )
        )
    return tuple(color_planes)


def samples(plane: Any, bits: int) -> Samples:
    """Return the samples of one of PyAV's planes, writable, of this many bits each."""
    dtype: np.dtype[Any] = np.dtype(np.uint8 if bits == 8 else np.uint16)
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))
    stored = rows[:, : plane.width * dtype.itemsize].view(dtype)
    return stored[::-1] if plane.line_size < 0 else stored  # stored bottom up


def black(frame: av.VideoFrame) -> tuple[int, ...]:
    """Return black as one sample for each color plane of a native frame."""
    meaning = layout(frame)
    if meaning.family == "rgb":
        return (0, 0, 0)
    unit = 1 << (meaning.bits - 8)
    luma = 0 if meaning.full_range else 16 * unit
    return (luma,) if meaning.family == "gray" else (luma, 128 * unit, 128 * unit)


def copy_properties(source: av.VideoFrame, target: av.VideoFrame) -> None:
    """Give a frame the time, the duration and the color tags of another."""
    target.pts, target.dts, target.time_base = source.pts, source.dts, source.time_base
    target.duration = source.duration
    target.colorspace, target.color_range = source.colorspace, source.color_range
    target.color_primaries, target.color_trc = source.color_primaries, source.color_trc


def reformat(
    reformatter: VideoReformatter,
    frame: av.VideoFrame,
    size: tuple[int, int],
    pixel_format: str,
    **options: Any,
) -> av.VideoFrame:
    """Return a frame at another size and in another pixel format, with the same color tags.

    swscale refuses tags of matrices that it does not know, such as YCgCo and reserved ones, and
    writes 6 for 5. It is given the nearest that it knows, or none.

    Args:
        reformatter: Keeps the tables of the last conversion.
        frame: The frame to convert.
        size: (width, height) in pixels.
        pixel_format: FFmpeg's name.
        options: Further parameters of `VideoReformatter.reformat`.
    """
    tag = frame.colorspace
    if tag in _SWSCALE_TAGS:
        return reformatter.reformat(frame, *size, pixel_format, threads=1, **options)
    frame.colorspace = _NEAREST_TAGS.get(tag, _UNSPECIFIED)
    try:
        result = reformatter.reformat(frame, *size, pixel_format, threads=1, **options)
    finally:
        frame.colorspace = tag
    if options.get("dst_colorspace") is None:
        result.colorspace = tag
    return result
