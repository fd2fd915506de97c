"""The chunks of a PNG that say how its samples are meant, taken from one file into another.

PNG (Portable Network Graphics) Specification, Third Edition, W3C 2025, sections 5.3 and 11.3.
"""

from __future__ import annotations

import struct
import zlib

_SIGNATURE_SIZE = 8
_HEADER_END = 33  # the signature and the IHDR chunk, which always comes first
_KEPT = {b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs"}


def bits(png: bytes) -> int:
    """Return how many bits a sample has."""
    return png[24]


def kept_chunks(png: bytes) -> bytes:
    """Return the chunks about colors and the size of a pixel, whole, as stored."""
    kept = b""
    position = _SIGNATURE_SIZE
    while position + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, position)
        if kind == b"IDAT":  # what comes later is not about colors
            break
        end = position + 12 + length
        if kind in _KEPT:
            kept += png[position:end]
        position = end
    return kept


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk, with its length and check sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def described(icc_profile: bytes | None, dpi: tuple[float, float] | None) -> bytes:
    """Return the chunks that hold a color profile and pixels per inch."""
    chunks = b""
    if icc_profile:
        chunks += chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if dpi:
        per_meter = (round(value / 0.0254) for value in dpi)
        chunks += chunk(b"pHYs", struct.pack(">IIB", *per_meter, 1))
    return chunks


def with_chunks(png: bytes, chunks: bytes) -> bytes:
    """Return a PNG with chunks put in where those about colors belong."""
    return png[:_HEADER_END] + chunks + png[_HEADER_END:]
