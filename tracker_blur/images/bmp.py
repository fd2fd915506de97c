"""BMP with transparency, whose header Pillow does not write.

BITMAPV4HEADER, Windows GDI documentation, Microsoft.
"""

from __future__ import annotations

import struct

from PIL import Image

_FILE_HEADER_SIZE, _HEADER_SIZE = 14, 108
_BIT_FIELDS = 3
_MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)  # red, green, blue, alpha
_SRGB = 0x73524742
_INCHES_PER_METER = 1 / 0.0254


def encoded(image: Image.Image, dpi: tuple[float, float] | None) -> bytes:
    """Return a picture in the mode RGBA as a BMP file."""
    width, height = image.size
    offset = _FILE_HEADER_SIZE + _HEADER_SIZE
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    per_meter = [round(value * _INCHES_PER_METER) for value in dpi or (0, 0)]
    header = struct.pack(
        "<IiiHHIIii", _HEADER_SIZE, width, height, 1, 32, _BIT_FIELDS, len(pixels), *per_meter
    )
    header += struct.pack("<8x4II", *_MASKS, _SRGB)
    file_header = struct.pack("<2sI4xI", b"BM", offset + len(pixels), offset)
    return file_header + header.ljust(_HEADER_SIZE, b"\0") + pixels
