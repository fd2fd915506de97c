"""Image files for tests, made with the libraries that users' programs write them with."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms
from skimage import data

from tracker_blur.core.box import Box
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.images import icc
from tracker_blur.images.reader import ImageReader
from tracker_blur.images.writer import ImageWriter
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.images.frame import ImageFrame

Array = npt.NDArray[Any]

FACE = Box(86, 64, 182, 182)
"""Where the face is in `portrait()`."""

SPOT = Box(5, 6, 20, 17)
"""A box for images without a face."""

PROFILE = icc.anonymous(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) or b""


@cache
def portrait() -> Array:
    """Return NASA's portrait of Eileen Collins, shape (256, 256, 3), RGB; read-only."""
    image = np.ascontiguousarray(data.astronaut()[0:256, 90:346])
    image.flags.writeable = False
    return image


def noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> Array:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(0, limits.max + 1, shape, dtype=dtype)


def save_image(array: Array, path: Path, **options: Any) -> Path:
    """Write an 8-bit array, gray to RGBA, with Pillow."""
    Image.fromarray(array).save(path, **options)
    return path


def pixels(frame: ImageFrame) -> Array:
    """Return a frame as one array, red first, alpha last; gray without a last axis."""
    planes = frame.channels if frame.alpha is None else (*frame.channels, frame.alpha)
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


def read_frames(path: Path, **options: Any) -> list[ImageFrame]:
    with ImageReader(path, **options) as source:
        return list(source)


def with_black_spot(array: Array, has_alpha: bool) -> Array:
    """Return the array with the spot black, and what is transparent; its alpha is unchanged."""
    expected = array.copy()
    if has_alpha:
        expected[..., :-1][array[..., -1] == 0] = 0
    if array.ndim == 2:
        expected[6:17, 5:20] = 0
    else:
        expected[6:17, 5:20, : array.shape[2] - has_alpha] = 0
    return expected


def hide_spot(frame: ImageFrame) -> None:
    """Make the spot black."""
    blacken(frame, SPOT)


def pillow_info(path: Path) -> dict[Any, Any]:
    """Return what Pillow reports of a file besides its pixels."""
    with Image.open(path) as image:
        return image.info


def blacken(frame: ImageFrame, box: Box = FACE) -> None:
    left, top, right, bottom = box.outward()
    for plane in frame.planes():
        plane.samples[top:bottom, left:right] = 0


def keep(frame: ImageFrame) -> None:
    pass


def rewrite(
    source_path: Path,
    target: Path,
    change: Callable[[ImageFrame], None] = keep,
    **settings: Any,
) -> Path:
    """Read an image file, change each frame, and write it."""
    with (
        ImageReader(source_path) as source,
        ImageWriter(target, source, Settings(**settings)) as sink,
    ):
        for frame in source:
            change(frame)
            sink.write(RedactedFrame(frame))
    return target


def png_chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def png_file(array: Array, chunks: bytes = b"") -> bytes:
    """Return a PNG of any depth and number of channels, by the specification."""
    height, width = array.shape[:2]
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[1 if array.ndim == 2 else array.shape[2]]
    header = struct.pack(">IIBBBBB", width, height, 8 * array.itemsize, color_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in array)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + chunks
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def bmp_file(array: Array) -> bytes:
    """Return a BMP of 32 bits with a version 4 header that names the fourth channel alpha."""
    height, width = array.shape[:2]
    content = array[::-1, :, [2, 1, 0, 3]].tobytes()
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(content), 0, 0, 0, 0)
    header += struct.pack("<4I4s48x", *masks, b"BGRs")
    size = 14 + len(header)
    return struct.pack("<2sIII", b"BM", size + len(content), 0, size) + header + content


def thumbnail() -> bytes:
    """Return the portrait as a small JPEG, as cameras embed it."""
    file = io.BytesIO()
    Image.fromarray(portrait()).resize((64, 64)).save(file, "JPEG", quality=60)
    return file.getvalue()
