"""Where one MPEG transport stream ends and another is joined to it (ISO 13818-1, 2.4.3).

Files that were joined by appending one to another, as recorders and users do, play without a gap.
But the counters of their packets start again, and FFmpeg takes that for lost packets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracker_blur.video.ts_packets import (
    CHECKED_PACKETS,
    PACKET_BYTES,
    SPACINGS,
    begins,
    identifier,
    packets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PACKETS_BEFORE, _PACKETS_AFTER = 4096, 32768  # over a second of any recording
_PROGRAMS = 0  # the identifier of the program association table
_NULL = 0x1FFF  # and of packets that only fill time


class _Packet(NamedTuple):
    track: int
    starts_unit: bool
    has_payload: bool
    counter: int


def is_at_join(path: Path, position: int) -> bool:
    """Return whether a unit is the last before a joined stream, or the first of one.

    A joined stream begins with its program table, whose counter starts again, too, and then every
    track of it begins with a new unit. Where packets were lost, tables are counted on, and tracks
    continue in the middle of a unit.

    Args:
        path: A transport stream.
        position: Of the first packet of the unit, a frame or so, in bytes, as FFmpeg reports it:
            with what is stored besides each packet counted in front of it.
    """
    packets, start = _packets_around(path, position)
    if start >= len(packets):
        return False
    track = packets[start].track
    gap = _gap(packets, track, start)
    if gap is None:
        return False
    last = max(at for at in range(gap) if packets[at].track == track)
    table = _gap(packets, _PROGRAMS, last)
    return table is not None and table < gap and _all_begin(packets[table:])


def _gap(packets: Sequence[_Packet], track: int, start: int) -> int | None:
    """Return where the counter of a track jumps: at a unit's start, or next after it."""
    counter: int | None = None
    for at, packet in enumerate(packets):
        if packet.track == track and packet.has_payload:
            is_next = counter is None or packet.counter in (counter, (counter + 1) % 16)
            if not is_next and at >= start:
                return at
            counter = packet.counter
    return None


def _all_begin(packets: Sequence[_Packet]) -> bool:
    """Return whether the first payload of every track starts a unit."""
    seen: set[int] = set()
    for packet in packets:
        if packet.has_payload and packet.track not in seen and packet.track != _NULL:
            if not packet.starts_unit:
                return False
            seen.add(packet.track)
    return True


def _packets_around(path: Path, position: int) -> tuple[list[_Packet], int]:
    """Return the packets around a position, and the index of the one there."""
    with path.open("rb") as file:
        file.seek(position)
        head = file.read(CHECKED_PACKETS * max(SPACINGS))
        spacing = next((each for each in SPACINGS if begins(head, each - PACKET_BYTES, each)), None)
        if spacing is None:
            return [], 0
        first = position + spacing - PACKET_BYTES
        before = min(_PACKETS_BEFORE, first // spacing)
        file.seek(first - before * spacing)
        data = file.read((before + _PACKETS_AFTER) * spacing)
    around = [
        _Packet(
            track=identifier(packet[1:]),
            starts_unit=bool(packet[1] & 0x40),
            has_payload=bool(packet[3] & 0x10),
            counter=packet[3] & 0x0F,
        )
        for packet in packets(data, 0, spacing)
    ]
    return around, before
