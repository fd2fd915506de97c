"""Refuses Dolby Vision whose base layer no ordinary decoder can show.

Profile 5, and 10 without a compatible base layer, store colors in a space of their own (IPT-PQ-c2).
Decoded as YUV, which is all that FFmpeg's decoders do, skin is green and purple: no one could use
the output, and no detector is made for such faces.

Dolby Vision Streams Within the ISO Base Media File Format 2.4, section 3.2; the same record lies in
Matroska. Elsewhere, it is in the metadata of the first frame.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from av.sidedata.sidedata import Type

from tracker_blur.errors import SourceError
from tracker_blur.video.iso_boxes import iso_boxes
from tracker_blur.video.stream_info import side_data

if TYPE_CHECKING:
    from pathlib import Path

    import av

_RECORD_NAMES = (b"dvcC", b"dvvC", b"dvwC")
_RECORD_BYTES = 24
_BOX_SIZE = struct.pack(">I", 8 + _RECORD_BYTES)
_EXTRA_DATA = b"\x41\xed" + bytes([0x80 | _RECORD_BYTES])  # BlockAddIDExtraData, with its size
_CLUSTER = b"\x1f\x43\xb6\x75"
_EBML = b"\x1a\x45\xdf\xa3"
_MOST_HEADER_BYTES, _MOST_EBML_BYTES = 64 << 20, 1 << 20
_OWN_COLORS = (5, 10, 20)  # the profiles whose base layer may be compatible with nothing
_LAYOUT = struct.Struct(">BBHB")  # version, then profile, level and flags, then compatibility
_IPT_C2 = 15  # ITU-T H.273, table 4
_RPU_HEADER = struct.Struct("=BxHBBBBBBB")  # the start of FFmpeg's AVDOVIRpuDataHeader


def check_can_be_shown(path: Path, first: av.VideoFrame) -> None:
    """Check that a video's colors are those that its samples say.

    Args:
        path: The file.
        first: Its first frame, decoded.

    Raises:
        SourceError: It is Dolby Vision without a compatible base layer.
    """
    profile = _profile(path)
    if profile is None and (first.colorspace == _IPT_C2 or _has_own_colors(first)):
        profile = 5
    if profile is not None:
        raise SourceError(
            f"{path}: is Dolby Vision of profile {profile}, which is green and purple without its "
            "own decoder: convert it to profile 8 or to HDR10 first"
        )


def _profile(path: Path) -> int | None:
    """Return the profile of a track without a compatible base layer, if a file has one."""
    with path.open("rb") as file:
        header = _header(file)
    for name in _RECORD_NAMES:
        at = header.find(name)
        while at >= 0:
            record = _record(header, at)
            if record is not None:
                _, _, flags, compatibility = _LAYOUT.unpack_from(record)
                if not compatibility >> 4 and flags >> 9 in _OWN_COLORS:
                    return int(flags >> 9)
            at = header.find(name, at + 1)
    return None


def _record(header: bytes, at: int) -> bytes | None:
    """Return the record at its name: in a box, or near it in Matroska."""
    if header[at - 4 : at] == _BOX_SIZE:
        record = header[at + 4 : at + 4 + _RECORD_BYTES]
    else:
        start = header.find(_EXTRA_DATA, max(0, at - 2 * _RECORD_BYTES), at + 2 * _RECORD_BYTES)
        record = header[start + 3 : start + 3 + _RECORD_BYTES] if start >= 0 else b""
    return record if len(record) == _RECORD_BYTES else None


def _header(file: BinaryIO) -> bytes:
    """Return the part of an MP4 or Matroska file that describes its tracks."""
    start = file.read(len(_EBML))
    if start == _EBML:
        return (start + file.read(_MOST_EBML_BYTES)).partition(_CLUSTER)[0]
    for box in iso_boxes(file, 0, file.seek(0, os.SEEK_END)):
        if box.kind == b"moov":
            file.seek(box.start)
            return file.read(min(box.end - box.start, _MOST_HEADER_BYTES))
    return b""


def _has_own_colors(frame: av.VideoFrame) -> bool:
    """Return whether a frame's metadata is that of profile 5, by the rule that FFmpeg uses."""
    data = side_data(frame, Type.DOVI_METADATA)
    if data is None:
        return False
    (offset,) = struct.unpack_from("=Q", data)
    fields = _RPU_HEADER.unpack_from(data, offset)
    rpu_profile, is_full_range = fields[2], fields[-1]
    return bool(rpu_profile == 0 and is_full_range == 1)
