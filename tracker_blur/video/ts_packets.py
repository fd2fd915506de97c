"""The packets of MPEG transport streams (ISO 13818-1, 2.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKET_BYTES = 188
SPACINGS = (188, 192, 204)
"""Bytes from one packet to the next: bare, with a time stamp in front (Blu-ray), with parity behind
(DVB)."""

CHECKED_PACKETS = 5
"""So many in a row are no chance."""

_SYNC = 0x47


def begins(data: bytes, first: int, spacing: int) -> bool:
    """Return whether packets begin at a byte, as far as there are any; at least one must."""
    starts = range(first, len(data), spacing)[:CHECKED_PACKETS]
    return bool(starts) and all(data[at] == _SYNC for at in starts)


def packets(data: bytes, first: int, spacing: int) -> Iterator[bytes]:
    """Yield the whole packets from a byte on, up to where there is none."""
    for at in range(first, len(data) - PACKET_BYTES + 1, spacing):
        if data[at] != _SYNC:
            return
        yield data[at : at + PACKET_BYTES]


def identifier(data: bytes) -> int:
    """Return the packet identifier (PID) in two bytes of a header or a table."""
    return int.from_bytes(data[:2], "big") & 0x1FFF
