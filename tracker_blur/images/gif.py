"""GIF: whether a file is complete, and palettes in which redaction leaves other colors exact.

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

_HEADER_SIZE = 13
_TRANSPARENT = 0  # the same index in all frames, as Pillow's writer expects
_NEAREST_BATCH = 1 << 14  # colors looked up at once, with 16 MiB of distances

Colors = npt.NDArray[np.uint32]
"""Colors as 0xRRGGBB."""


def is_complete(gif: bytes) -> bool:
    """Return whether the file reaches its trailer; decoders accept a file without one."""
    position = _HEADER_SIZE
    try:
        position += _table_size(gif[10])
        while gif[position] != 0x3B:  # the trailer
            if gif[position] == 0x21:  # an extension: its label, then blocks
                position += 2
            elif gif[position] == 0x2C:  # a frame: its header, colors and code size, then blocks
                position += 11 + _table_size(gif[position + 9])
            else:  # decoders skip bytes that do not belong there
                position += 1
                continue
            while gif[position]:
                position += 1 + gif[position]
            position += 1
    except IndexError:
        return False
    return True


def _table_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def packed(channels: tuple[Samples, ...]) -> Colors:
    """Return channels, (red, green, blue) or (gray,), as one array of colors."""
    colors = np.zeros(channels[0].shape, np.uint32)
    for channel in channels if len(channels) == 3 else channels * 3:
        colors <<= 8
        colors |= upper_8_bits(channel)
    return colors


def paletted(frame: ImageFrame) -> Image.Image:
    """Return a frame as a Pillow image with a palette.

    If the colors of the frame as it was read fit into a palette, they stay exact. New ones, from
    redaction, become the nearest of them unless all fit.
    """
    clear = None if frame.alpha is None else upper_8_bits(frame.alpha) < 128
    has_clear = clear is not None and bool(clear.any())
    colors = packed(frame.channels)
    if clear is not None and has_clear:
        colors[clear] = colors.flat[0]  # transparent pixels need no palette entry
    limit = 256 - has_clear
    used, position = np.unique(colors, return_inverse=True)
    table: Colors
    if used.size <= limit:
        table, index = used, np.arange(used.size)
    elif frame.palette is not None and frame.palette.size <= limit:
        table = frame.palette
        index = _nearest(used, table)
    else:
        rgb = Image.fromarray(_unpacked(colors)).quantize(limit, dither=Image.Dither.NONE)
        table = packed(tuple(np.array(rgb.getpalette("RGB"), np.uint8).reshape(-1, 3).T))
        position, index = np.asarray(rgb), np.arange(256)
    return _image(index[position].reshape(colors.shape), table, clear if has_clear else None)


def _image(
    index: npt.NDArray[np.intp], table: Colors, clear: npt.NDArray[np.bool_] | None
) -> Image.Image:
    samples = index.astype(np.uint8)
    palette = _unpacked(table).tobytes()
    if clear is not None:
        samples += 1
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
