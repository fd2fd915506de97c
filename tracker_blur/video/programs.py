"""Which tracks of a transport stream belong to one program (ISO 13818-1, 2.4.4).

A recorded multiplex holds several stations, each with its own video, audio and clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.video.ts_packets import SPACINGS, begins, identifier, packets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer

_READ_BYTES = 4 << 20  # the tables come several times a second
_ASSOCIATION_PID, _ASSOCIATION_TABLE, _MAP_TABLE = 0, 0, 2
_CHECKSUM_BYTES = 4
_WHOLE = ((0, 188), (4, 192), (0, 204))  # where the first packet begins, and the spacing
_CUT = tuple((first, spacing) for spacing in SPACINGS for first in range(spacing))


def program_tracks(path: Path, container: InputContainer, index: int) -> frozenset[int]:
    """Return the indexes of all tracks in the same program as one track.

    Args:
        path: The file.
        container: The same, opened.
        index: The track. All tracks, if its program is not known.
    """
    everything = frozenset(stream.index for stream in container.streams)
    if container.format.name != "mpegts" or len(container.streams) < 2:
        return everything
    with path.open("rb") as file:
        programs = _programs(file.read(_READ_BYTES))
    track = container.streams[index].id
    for program in programs:
        if track in program:
            return frozenset(s.index for s in container.streams if s.id in program)
    return everything


def _programs(data: bytes) -> list[set[int]]:
    """Return the packet identifiers of the tracks of each program."""
    maps: set[int] = set()
    for table, section in _sections(data, {_ASSOCIATION_PID}):
        if table == _ASSOCIATION_TABLE:
            for at in range(5, len(section) - 3, 4):
                number = int.from_bytes(section[at : at + 2], "big")
                if number:  # 0 is the network's own
                    maps.add(identifier(section[at + 2 :]))
    programs: dict[int, set[int]] = {}
    for table, section in _sections(data, maps):
        if table == _MAP_TABLE and len(section) >= 9:
            tracks = programs.setdefault(int.from_bytes(section[:2], "big"), set())
            at = 9 + (int.from_bytes(section[7:9], "big") & 0xFFF)
            while at + 5 <= len(section):
                tracks.add(identifier(section[at + 1 :]))
                at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
    return list(programs.values())


def _sections(data: bytes, identifiers: set[int]) -> Iterator[tuple[int, bytes]]:
    """Yield (table identifier, content behind the length, without the checksum) of sections."""
    pending: dict[int, bytes] = {}
    for packet in _packets(data):
        track = identifier(packet[1:])
        if track not in identifiers or not packet[3] & 0x10:
            continue
        payload = packet[5 + packet[4] if packet[3] & 0x20 else 4 :]
        if packet[1] & 0x40 and payload:  # a section begins behind a pointer
            pending[track] = payload[1 + payload[0] :]
        elif track in pending:
            pending[track] += payload
        section = pending.get(track, b"")
        if len(section) < 3:
            continue
        length = int.from_bytes(section[1:3], "big") & 0xFFF
        if len(section) >= 3 + length >= 3 + _CHECKSUM_BYTES:
            del pending[track]
            yield section[0], section[3 : 3 + length - _CHECKSUM_BYTES]


def _packets(data: bytes) -> Iterator[bytes]:
    """Yield the packets of a file that may begin in the middle of one."""
    for first, spacing in (*_WHOLE, *_CUT):
        if begins(data, first, spacing):
            yield from packets(data, first, spacing)
            return
