"""The chunks of PNG and WebP files: what Pillow does not report of them, or does not write.

PNG Specification, Third Edition, W3C 2025, sections 5.3 and 11.3; WebP Container Specification,
RFC 9649, section 2.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker_blur.images import icc

if TYPE_CHECKING:
    from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # the signature and the IHDR chunk, which always comes first
KEPT = {b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs"}
"""The names of PNG chunks about colors and the size of a pixel."""

_MOST_PROFILE_BYTES = 16 << 20

_RIFF_HEADER_SIZE = 12
_FRAME_HEADER_SIZE = 16


def png_bits(png: bytes) -> int:
    """Return how many bits a sample of a PNG has."""
    return png[24]


def png_color_chunks(png: bytes) -> bytes:
    """Return the chunks about colors and the size of a pixel; color profiles name no one."""
    return b"".join(
        _profile_chunk(_profile(chunk)) if name == b"iCCP" else chunk
        for name, chunk in png_head(png)
        if name in KEPT
    )


def _profile(chunk: bytes) -> bytes | None:
    """Return the profile in a chunk, without the name that it has there; None if damaged."""
    _, _, compressed = chunk[8:-4].partition(b"\0")
    with suppress(zlib.error):
        return icc.anonymous(zlib.decompressobj().decompress(compressed[1:], _MOST_PROFILE_BYTES))
    return None


def _profile_chunk(profile: bytes | None) -> bytes:
    if not profile:
        return b""
    return png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))


def png_head(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name of each chunk before the pixels, and the whole chunk as stored."""
    position = len(PNG_SIGNATURE)
    while position + 8 <= len(png):
        length, name = struct.unpack_from(">I4s", png, position)
        if name == b"IDAT":
            return
        end = position + 12 + length
        yield name, png[position:end]
        position = end


def check_png_pixels(png: bytes) -> None:
    """Raise ValueError if the checksum of a chunk with pixels is wrong, as libpng does on its own.

    It prints a line of its own, too; Pillow passes over such damage.
    """
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(png):
        length, name = struct.unpack_from(">I4s", png, position)
        end = position + 8 + length
        if name == b"IDAT" and zlib.crc32(png[position + 4 : end]) != int.from_bytes(
            png[end : end + 4], "big"
        ):
            raise ValueError("the checksum of its pixels is wrong")
        position = end + 4


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Return a PNG chunk, with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def new_png_color_chunks(icc_profile: bytes | None, dpi: tuple[float, float] | None) -> bytes:
    """Return the chunks that hold a color profile and pixels per inch."""
    chunks = _profile_chunk(icc_profile)
    if dpi:
        per_meter = (round(value / 0.0254) for value in dpi)
        chunks += png_chunk(b"pHYs", struct.pack(">IIB", *per_meter, 1))
    return chunks


def with_png_chunks(png: bytes, chunks: bytes) -> bytes:
    """Return a PNG with these chunks inserted where those about colors belong."""
    return png[:_HEADER_END] + chunks + png[_HEADER_END:]


def is_lossless_webp(webp: bytes) -> bool:
    """Return whether the first frame of a WebP file is stored losslessly."""
    position = _RIFF_HEADER_SIZE
    while position + 8 <= len(webp):
        name, size = struct.unpack_from("<4sI", webp, position)
        if name in (b"VP8 ", b"VP8L"):
            return bool(name == b"VP8L")
        position += 8
        if name == b"ANMF":  # a frame of an animation: its chunks are nested in it
            position += _FRAME_HEADER_SIZE
        else:
            position += size + size % 2
    return False
