"""The headers of a Vorbis track, without the comments that may tell of people, places and faces.

They lie where a stream copy takes them along: in what the decoder is set up with. A comment may
even hold a cover picture (METADATA_BLOCK_PICTURE).

Vorbis I specification, Xiph.Org 2020, sections 4.2 and 5.
"""

from __future__ import annotations

import struct

_COMMENT_TYPE = b"\x03vorbis"
_NO_COMMENTS = _COMMENT_TYPE + struct.pack("<II", 0, 0) + b"\x01"  # no vendor, none, framing bit
_LACED = 2  # how many of the three headers have their sizes told
_IDENTIFICATION_BYTES = 30


def without_comments(setup: bytes) -> bytes:
    """Return the three headers, as Matroska stores them, with an empty one for comments.

    Raises ValueError when they are no headers of Vorbis.
    """
    first, comments, last = headers(setup)
    if not comments.startswith(_COMMENT_TYPE) or not last:
        raise ValueError("its sound is no Vorbis that can be copied")
    return laced(first, _NO_COMMENTS, last)


def laced(first: bytes, comments: bytes, last: bytes) -> bytes:
    """Return three headers as one block, the first two behind their sizes."""
    return bytes([_LACED]) + _lacing(first) + _lacing(comments) + first + comments + last


def headers(setup: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the three headers of a block of either form that FFmpeg knows."""
    if setup[:2] == struct.pack(">H", _IDENTIFICATION_BYTES):  # each header behind its size
        parts = []
        at = 0
        for _ in range(3):
            size = int.from_bytes(setup[at : at + 2], "big")
            parts.append(setup[at + 2 : at + 2 + size])
            at += 2 + size
        return parts[0], parts[1], parts[2]
    at, sizes = 1, []
    for _ in range(_LACED):
        size = 0
        while setup[at : at + 1] == b"\xff":
            size, at = size + 255, at + 1
        sizes.append(size + int.from_bytes(setup[at : at + 1], "big"))
        at += 1
    middle, end = at + sizes[0], at + sum(sizes)
    return setup[at:middle], setup[middle:end], setup[end:]


def _lacing(header: bytes) -> bytes:
    return b"\xff" * (len(header) // 255) + bytes([len(header) % 255])
