"""Refuses image files whose structure alone would take minutes to parse.

A file of a megabyte may have a million pages, chunks, scans or comments; image libraries go through
all of them, and nothing ends a thread. Files of cameras and programs are far below these limits.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_PARTS = 100_000  # chunks of PNG and WebP, boxes, extensions of GIF
_MAX_BLOCKS = 1_000_000  # of images of GIF, up to 255 bytes each
_MAX_META_BYTES = 4 << 20  # of HEIC and AVIF: a few kilobytes, and a color profile
_MAX_SCANS = 100  # of JPEG: encoders write about ten; each takes as long as a whole image
_MAX_SEGMENTS = 10_000
_MAX_FILL_BYTES = 64 << 10
_MAX_PAGES = 100  # of TIFF: reduced copies next to the only image
_MAX_ENTRIES = 1000
_MAX_VALUES = 1 << 20  # of one entry: there may be an offset for each tile

_BLOCKS = "too many blocks"
SEVERAL = "holds several images: send them as a job"

_SEGMENT = re.compile(rb"([^\xff]*\xff+)([^\xff])", re.DOTALL)
_START_OF_SCAN = 0xDA
_ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})  # markers without a length

_IMAGE, _EXTENSION = 0x2C, 0x21
_HAS_COLORS, _COLORS = 0x80, 7
_ONE_BYTE_TYPES = frozenset({1, 2, 6, 7})


def check_structure(content: bytes, name: str) -> None:
    """Raise SourceError for an image file with too many parts, or more than one image of a GIF.

    Args:
        content: The file. What is damaged is left to its decoder.
        name: What the message calls it.
    """
    if content.startswith(b"\xff\xd8"):
        reason = _jpeg(content)
    elif content.startswith(b"\x89PNG"):
        reason = _many(_chunks(content, 8, ">I4x", 12), "chunks")
    elif content.startswith(b"RIFF"):
        reason = _many(_chunks(content, 12, "<4xI", 8, is_even=True), "chunks")
    elif content[4:8] == b"ftyp":
        reason = _boxes(content)
    elif content.startswith(b"GIF8"):
        reason = _gif(content)
    elif content.startswith((b"II", b"MM")):
        reason = _tiff(content)
    else:
        return
    if reason == SEVERAL:
        raise SourceError(f"{name}: {SEVERAL}")
    if reason:
        raise SourceError(f"{name}: has {reason}, unlike usual files: save it again with a program")


def _many(parts: Iterator[int], what: str) -> str:
    count = sum(1 for _, _ in zip(parts, range(_MAX_PARTS + 1), strict=False))
    return f"more than {_MAX_PARTS} {what}" if count > _MAX_PARTS else ""


def _chunks(
    content: bytes, start: int, head: str, around: int, *, is_even: bool = False
) -> Iterator[int]:
    """Yield where each chunk begins.

    Args:
        content: The file.
        start: Where the first one begins.
        head: How its length is stored, eight bytes.
        around: What the length does not count.
        is_even: Whether a byte follows a chunk of odd length.
    """
    place = start
    while place + 8 <= len(content):
        yield place
        (length,) = struct.unpack_from(head, content, place)
        place += max(8, length + around + (is_even and length % 2))


def _boxes(content: bytes) -> str:
    """Look at the boxes of HEIC and AVIF; those within others are in `meta`, which is bounded."""
    place = 0
    for _ in range(_MAX_PARTS):
        if place + 8 > len(content):
            return ""
        length, kind = struct.unpack_from(">I4s", content, place)
        if length == 1 and place + 16 <= len(content):
            (length,) = struct.unpack_from(">Q", content, place + 8)
        elif length == 0:
            length = len(content) - place
        if kind == b"meta" and length > _MAX_META_BYTES:
            return f"a description of more than {_MAX_META_BYTES} bytes"
        place += max(8, length)
    return f"more than {_MAX_PARTS} boxes"


def _jpeg(content: bytes) -> str:
    if content.count(b"\xff\xda") > _MAX_SCANS:
        return f"more than {_MAX_SCANS} scans"
    place, fill_bytes = 2, 0
    for _ in range(_MAX_SEGMENTS):
        segment = _SEGMENT.match(content, place)
        if segment is None:
            fill_bytes += max(0, len(content) - place)
        else:
            fill_bytes += len(segment[1]) - 1
        if fill_bytes > _MAX_FILL_BYTES:
            return f"more than {_MAX_FILL_BYTES} bytes between its segments"
        if segment is None or (marker := segment[2][0]) == _START_OF_SCAN:
            return ""
        place = segment.end()
        if marker not in _ALONE:
            place += int.from_bytes(content[place : place + 2])
    return f"more than {_MAX_SEGMENTS} segments"


def _gif(content: bytes) -> str:
    place = 13 + _color_bytes(content, 10)
    images = blocks = 0
    for _ in range(_MAX_PARTS):
        kind = content[place] if place < len(content) else None
        if kind == _IMAGE:
            images += 1
            if images > 1:
                return SEVERAL
            place += 11 + _color_bytes(content, place + 9)
        elif kind == _EXTENSION:
            place += 2
        else:
            return ""
        while place < len(content) and (length := content[place]):
            place += 1 + length
            blocks += 1
            if blocks > _MAX_BLOCKS:
                return _BLOCKS
        place += 1
    return _BLOCKS


def _color_bytes(content: bytes, place: int) -> int:
    """Return how long the color table is that the flags at this place announce."""
    flags = content[place] if place < len(content) else 0
    return 3 << ((flags & _COLORS) + 1) if flags & _HAS_COLORS else 0


def _tiff(content: bytes) -> str:
    order = "<" if content.startswith(b"II") else ">"
    is_big = content[2:4] in (b"+\0", b"\0+")
    offset, count_of, entry = ("Q", "Q", "HHQ8x") if is_big else ("I", "H", "HHI4x")
    places = struct.Struct(order + offset), struct.Struct(order + count_of)
    entries = struct.Struct(order + entry)
    try:
        (place,) = places[0].unpack_from(content, 8 if is_big else 4)
        for _ in range(_MAX_PAGES):
            if place == 0:
                return ""
            (count,) = places[1].unpack_from(content, place)
            if count > _MAX_ENTRIES:
                return f"a page of {count} entries"
            place += places[1].size
            for number in range(count):
                _, kind, values = entries.unpack_from(content, place + number * entries.size)
                if values > _MAX_VALUES and kind not in _ONE_BYTE_TYPES:
                    return f"an entry of {values} values"
            (place,) = places[0].unpack_from(content, place + count * entries.size)
    except struct.error:
        return ""  # it ends early
    return SEVERAL
