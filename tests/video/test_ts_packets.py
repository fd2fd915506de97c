"""Packets of transport streams, at any spacing."""

from __future__ import annotations

import pytest

from tracker_blur.video.ts_packets import begins, identifier, packets

PACKETS = [bytes([0x47, 0x41, number]) + bytes([number]) * 185 for number in range(8)]


@pytest.mark.parametrize(("first", "spacing"), [(0, 188), (4, 192), (0, 204), (75, 188)])
def test_packets_are_found_at_their_spacing(first: int, spacing: int) -> None:
    data = bytes(first) + b"".join(one + bytes(spacing - 188) for one in PACKETS)
    assert begins(data, first, spacing)
    assert not begins(data, first + 1, spacing)
    assert list(packets(data, first, spacing)) == PACKETS


def test_they_end_where_there_is_none_or_half_of_one() -> None:
    assert not begins(b"", 0, 188)
    damaged = b"".join(PACKETS[:6]) + bytes(188) + PACKETS[6]
    assert list(packets(damaged, 0, 188)) == PACKETS[:6]
    assert list(packets(b"".join(PACKETS)[:-1], 0, 188)) == PACKETS[:-1]


def test_the_flags_are_no_part_of_the_identifier() -> None:
    assert identifier(b"\xe1\x02\xff") == 0x102
