"""Checks that a video file has all of its bytes.

A truncated file decodes without an error as far as it goes, so the decoder does not notice.
But the outermost elements of most formats state their sizes:

- MP4, MOV: boxes, each a 32 or 64 bit size and a type (ISO 14496-12, 4.2)
- Matroska, WebM: an EBML header and one Segment, its size a variable-length integer (RFC 8794)
- AVI: RIFF chunks, each a type and a 32 bit size
- GIF: blocks up to a trailer byte (GIF89a, 27)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from tracker_blur.video.iso_boxes import iso_boxes

if TYPE_CHECKING:
    from pathlib import Path

_MEDIA_BOXES = {b"moov", b"moof", b"mdat"}
_EBML_HEADER, _SEGMENT = 0x1A45DFA3, 0x18538067
_RIFF_SLACK_BYTES = 64  # some writers count a header twice
_GIF_TRAILER = 0x3B


def missing_bytes(path: Path) -> int:
    """Return how many bytes a file lacks by its own account, at least; 0 if it is complete.

    Also 0 for formats that state no size, and for recordings whose writer left it open.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        file.seek(0)
        if start[4:8] in _MEDIA_BOXES | {b"ftyp", b"wide", b"free", b"skip", b"pnot"}:
            end = _end_of_boxes(file, size)
        elif start[:4] == _EBML_HEADER.to_bytes(4, "big"):
            end = _end_of_segment(file)
        elif start[:4] == b"RIFF":
            end = _end_of_riff(file, size) - _RIFF_SLACK_BYTES
        elif start[:3] == b"GIF":
            end = _end_of_gif(file, size)
        else:
            end = 0
    return max(0, end - size)


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    ends = (box.end for box in iso_boxes(file, 0, size) if box.kind in _MEDIA_BOXES)
    return max(ends, default=0)


def _end_of_segment(file: BinaryIO) -> int:
    while True:
        identifier = _ebml_number(file, keep_marker=True)
        length = _ebml_number(file, keep_marker=False)
        if identifier is None or length is None:  # an unknown size: a live recording
            return 0
        if identifier == _SEGMENT:
            return file.tell() + length
        file.seek(length, os.SEEK_CUR)


def _ebml_number(file: BinaryIO, *, keep_marker: bool) -> int | None:
    """Read a variable-length integer; None if all its bits are set, or the file ends."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    extra = 8 - first[0].bit_length()
    rest = file.read(extra)
    value = int.from_bytes(first + rest, "big")
    if keep_marker:
        return value
    bits = 7 * (extra + 1)
    value &= (1 << bits) - 1
    return None if value == (1 << bits) - 1 or len(rest) < extra else value


def _end_of_riff(file: BinaryIO, size: int) -> int:
    position = end = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(8)
        if header[:4] != b"RIFF":
            break
        length = int.from_bytes(header[4:], "little")
        if length in (0, 0xFFFFFFFF):  # a recording that was never closed
            return 0
        position += 8 + length + length % 2
        end = position - length % 2
    return end


def _end_of_gif(file: BinaryIO, size: int) -> int:
    file.seek(max(0, size - 64))
    tail = file.read().rstrip(b"\0")
    return size if tail and tail[-1] == _GIF_TRAILER else size + 1
