"""The boxes of MP4, MOV, AVIF and HEIC files: a size, a type, and what is in it.

ISO 14496-12, 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = 8
_LONG_HEADER = 16


class IsoBox(NamedTuple):
    """Where a box lies in its file; it may end beyond it.

    Attributes:
        kind: Its type.
        start: Its first byte.
        content: The first byte behind its header.
        end: The byte behind its last.
    """

    kind: bytes
    start: int
    content: int
    end: int


def iso_boxes(file: BinaryIO, start: int, end: int) -> Iterator[IsoBox]:
    """Yield the boxes in a part of a file, not those inside of them, up to an impossible size.

    Args:
        file: The file. The caller may read elsewhere in it meanwhile.
        start: The first byte of the part.
        end: The byte behind its last.
    """
    while start + _HEADER <= end:
        file.seek(start)
        header = file.read(_LONG_HEADER)
        size, head = int.from_bytes(header[:4], "big"), _HEADER
        if size == 1:
            size, head = int.from_bytes(header[8:], "big"), _LONG_HEADER
        elif size == 0:  # up to the end
            size = end - start
        if size < head:
            return
        yield IsoBox(header[4:8], start, start + head, start + size)
        start += size
