"""GIF: its blocks, and palettes in which redaction leaves other colors exact.

Graphics Interchange Format, version 89a, CompuServe 1990.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from tracker_blur.images.frame import ImageFrame, upper_8_bits

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples

HEADER_SIZE = 13
EXTENSION, FRAME, TRAILER = b"!,;"  # what a block starts with

_TRANSPARENT = 0  # the same index in all frames, as Pillow's writer expects
_COLORS = 1 << 24
_NEAREST_BATCH = 1 << 14  # colors looked up at once, with 16 MiB of distances

Colors = npt.NDArray[np.uint32]
"""Colors as 0xRRGGBB."""


def table_size(flags: int) -> int:
    """Return the bytes of the color table that a screen or a frame with these flags has."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def end_of_blocks(gif: bytes, position: int) -> int:
    """Return where a row of data blocks ends; raises IndexError if the file ends before it."""
    while gif[position]:
        position += 1 + gif[position]
    return position + 1


def packed(channels: tuple[Samples, ...]) -> Colors:
    """Return channels, (red, green, blue) or (gray,), as one array of colors."""
    colors = np.zeros(channels[0].shape, np.uint32)
    for channel in channels if len(channels) == 3 else channels * 3:
        colors <<= 8
        colors |= upper_8_bits(channel)
    return colors


def used_colors(colors: Colors) -> Colors:
    """Return the colors that occur, ascending; in constant memory, unlike `numpy.unique`."""
    occurs = np.zeros(_COLORS, np.bool_)
    occurs[colors] = True
    return np.flatnonzero(occurs).astype(np.uint32)


def paletted(frame: ImageFrame, *, has_clear: bool = False) -> Image.Image:
    """Return a frame as a Pillow image with a palette.

    If the colors of the frame as it was read fit into a palette, they stay exact. New ones, from
    redaction, become the nearest of them unless all fit.

    Args:
        frame: The frame.
        has_clear: Have a transparent color even if nothing is transparent, if there is room for it.
    """
    colors = packed(frame.channels)
    clear = np.zeros(colors.shape, np.bool_)
    if frame.alpha is not None:
        clear = upper_8_bits(frame.alpha) < 128
    used = used_colors(colors[~clear])
    is_transparent = bool(clear.any())
    known = used.size if frame.palette is None else min(used.size, frame.palette.size)
    has_clear = is_transparent or (has_clear and known != 256)
    if is_transparent and used.size:
        colors[clear] = used[0]
    limit = 256 - has_clear
    table: Colors
    if used.size <= limit:
        table, index = used, np.arange(used.size)
    elif frame.palette is not None and frame.palette.size <= limit:
        table = frame.palette
        index = _nearest(used, table)
    else:
        rgb = Image.fromarray(_unpacked(colors)).quantize(limit, dither=Image.Dither.NONE)
        table = packed(tuple(np.array(rgb.getpalette("RGB"), np.uint8).reshape(-1, 3).T))
        return _image(np.asarray(rgb), table, clear if has_clear else None)
    index_of = np.zeros(_COLORS, np.uint8)
    index_of[used] = index
    return _image(index_of[colors], table, clear if has_clear else None)


def _image(
    samples: npt.NDArray[np.uint8], table: Colors, clear: npt.NDArray[np.bool_] | None
) -> Image.Image:
    palette = _unpacked(table).tobytes()
    if clear is not None:
        samples = samples + 1
        samples[clear] = _TRANSPARENT
        palette = bytes(3) + palette
    height, width = samples.shape
    image = Image.frombytes("P", (width, height), samples.tobytes())
    image.putpalette(palette)
    if clear is not None:
        image.info["transparency"] = _TRANSPARENT
    return image


def _unpacked(colors: Colors) -> npt.NDArray[np.uint8]:
    """Return colors with red, green and blue in a last axis."""
    return np.stack([colors >> 16 & 255, colors >> 8 & 255, colors & 255], -1).astype(np.uint8)


def _nearest(colors: Colors, table: Colors) -> npt.NDArray[np.intp]:
    """Return, for each color, the index of the nearest in the table (least squares)."""
    points = _unpacked(table).astype(np.float32)
    lengths = (points**2).sum(axis=1)
    indices = []
    for start in range(0, colors.size, _NEAREST_BATCH):
        batch = _unpacked(colors[start : start + _NEAREST_BATCH]).astype(np.float32)
        indices.append((lengths - 2 * batch @ points.T).argmin(axis=1))
    return np.concatenate(indices)
