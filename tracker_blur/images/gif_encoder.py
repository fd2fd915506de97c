"""Encodes GIFs frame by frame: Pillow would hold all frames of an animation.

Graphics Interchange Format, version 89a, CompuServe 1990; NETSCAPE2.0 for repetitions.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import GifImagePlugin

from tracker_blur.images import gif
from tracker_blur.images.frame import changed_box, cropped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.images.frame import ImageFrame

_MAX_SIDE = (1 << 16) - 1
_MAX_REPETITIONS = (1 << 16) - 1
_MAX_DELAY_MS = 10 * ((1 << 16) - 1)
_SCREEN = struct.Struct("<6sHHBBB")
_KEPT, _CLEARED = 1, 2  # what happens to a frame before the next


def write(file: BinaryIO, frames: Sequence[ImageFrame], *, is_transparent: bool) -> None:
    """Write a still or an animation.

    Args:
        file: The output.
        frames: The frames, of one size.
        is_transparent: Whether any of them is. Then each is stored whole, because the previous one
            must not be visible through it; else, only what changes is.
    """
    first = frames[0]
    if max(first.size) > _MAX_SIDE:
        raise ValueError(f"its longest side is above {_MAX_SIDE} pixels")
    file.write(_SCREEN.pack(b"GIF89a", *first.size, 0x70, 0, 0))
    if len(frames) > 1 and first.encoding.plays != 1:
        repetitions = min(max(0, first.encoding.plays - 1), _MAX_REPETITIONS)
        file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", repetitions, 0))
    before: ImageFrame | None = None
    for frame in frames:
        whole = before is None or is_transparent
        box = (0, 0, *frame.size) if whole or before is None else changed_box(before, frame)
        image = gif.paletted(cropped(frame, box), has_clear=is_transparent)
        options: dict[str, Any] = {"include_color_table": True}
        if "transparency" in image.info:
            options["transparency"] = image.info["transparency"]
        if len(frames) > 1:
            milliseconds = float(frame.duration * frame.time_base * 1000)
            options |= {
                "duration": min(milliseconds, _MAX_DELAY_MS),
                "disposal": _CLEARED if is_transparent else _KEPT,
            }
        file.writelines(GifImagePlugin.getdata(image, box[:2], **options))
        before = frame
    file.write(b";")
