"""Boxes are found, whatever their sizes, and damaged ones end the search."""

from __future__ import annotations

import io
import struct

import pytest

from tracker_blur.video.iso_boxes import IsoBox, iso_boxes


def found(data: bytes, start: int = 0, end: int | None = None) -> list[IsoBox]:
    return list(iso_boxes(io.BytesIO(data), start, len(data) if end is None else end))


def test_sizes_of_32_and_64_bits_and_up_to_the_end() -> None:
    data = struct.pack(">I4s4x", 12, b"free") + struct.pack(">I4sQ3x", 1, b"mdat", 19)
    data += struct.pack(">I4s5x", 0, b"moov")
    assert found(data) == [
        IsoBox(b"free", 0, 8, 12),
        IsoBox(b"mdat", 12, 28, 31),
        IsoBox(b"moov", 31, 39, 44),
    ]
    assert found(data, 12, 31) == [IsoBox(b"mdat", 12, 28, 31)]


def test_a_box_may_end_beyond_its_file() -> None:
    assert found(struct.pack(">I4s", 5000, b"mdat")) == [IsoBox(b"mdat", 0, 8, 5000)]


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\0\0\0", struct.pack(">I4s", 7, b"moov"), struct.pack(">I4sQ", 1, b"moov", 15)],
)
def test_an_impossible_size_ends_the_search(damaged: bytes) -> None:
    whole = struct.pack(">I4s", 8, b"ftyp")
    assert found(whole + damaged) == [IsoBox(b"ftyp", 0, 8, 8)]
