"""Chained Ogg files: several complete files, one behind the other, that play as one (RFC 3533, 4).

Recorders of streams write them. FFmpeg's demuxer loses tracks where links meet, so each link is
opened as a file of its own.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import av

from tracker_blur.files.paths import real_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

_MAGIC = b"OggS"
_HEADER_BYTES = 27  # of a page, before the sizes of its segments
_BEGINS = 2  # the flag of a track's first page
_PROTOCOL = "subfile"


class Link(NamedTuple):
    """One of the files: its bytes, and how many seconds the previous ones last."""

    start: int
    end: int
    offset: Fraction


def links(path: Path) -> tuple[Link, ...]:
    """Return the links of a chained file; none for all others."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return ()
    state = path.stat()
    return _links(real_path(path), state.st_size, state.st_mtime_ns)


def open_link(path: Path, link: Link, options: Mapping[str, str] | None = None) -> InputContainer:
    """Open a link; raises what PyAV does."""
    return av.open(
        f"{_PROTOCOL},,start,{link.start},end,{link.end},,:file:{real_path(path)}",
        container_options={"protocol_whitelist": f"file,{_PROTOCOL}", **(options or {})},
        metadata_errors="replace",
    )


def is_link(container: Any) -> bool:
    """Return whether a container is a link of a chained file."""
    return str(container.name).startswith(_PROTOCOL)


def later_packets(
    path: Path, first: InputContainer, indexes: Collection[int]
) -> Iterator[tuple[int, Packet[Stream]]]:
    """Yield the packets of all links but the first, on the clock of the first.

    Args:
        path: The file.
        first: Its first link, open.
        indexes: Of the wanted tracks in the first link. Those of later links are matched by kind.

    Yields:
        (index of the track in the first link, packet).
    """
    for link in links(path)[1:]:
        with open_link(path, link) as container:
            of_first: dict[int, int] = {}
            for kind in ("audio", "subtitle"):
                pairs = zip(_of_kind(container, kind), _of_kind(first, kind), strict=False)
                of_first |= {later.index: one.index for later, one in pairs if one.index in indexes}
            for packet in container.demux([container.streams[index] for index in of_first]):
                shift = round(link.offset / packet.time_base) if packet.size else 0
                packet.pts = None if packet.pts is None else packet.pts + shift
                packet.dts = None if packet.dts is None else packet.dts + shift
                yield of_first[packet.stream.index], packet


def _of_kind(container: InputContainer, kind: str) -> list[Stream]:
    return [stream for stream in container.streams if stream.type == kind]


@lru_cache(maxsize=4)
def _links(path: Path, size: int, _: int) -> tuple[Link, ...]:
    starts = list(_starts(path))
    if len(starts) < 2:
        return ()
    found, offset = [], Fraction(0)
    for start, end in zip(starts, [*starts[1:], size], strict=True):
        found.append(Link(start, end, offset))
        offset += _seconds(path, found[-1])
    return tuple(found)


def _starts(path: Path) -> Iterator[int]:
    """Yield where links start: at tracks' first pages that follow pages of content."""
    position, was_content = 0, True
    with path.open("rb") as file:
        while True:
            file.seek(position)
            header = file.read(_HEADER_BYTES)
            if len(header) < _HEADER_BYTES or header[:4] != _MAGIC:
                return
            begins = bool(header[5] & _BEGINS)
            if begins and was_content:
                yield position
            was_content = not begins
            segments = file.read(header[26])
            position += _HEADER_BYTES + len(segments) + sum(segments)


def _seconds(path: Path, link: Link) -> Fraction:
    """Return how long a link lasts, as far as it can be read."""
    end = Fraction(0)
    with suppress(av.FFmpegError, OSError), open_link(path, link) as container:
        for packet in container.demux():
            if packet.pts is not None:
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
    return end
