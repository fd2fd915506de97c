"""The times of a file's packets: transport and program streams have clocks that jump.

Splicing, a restarted encoder or a joined recording set such a clock anywhere else, for all tracks
at once. Nothing is missing there, so the times continue (as FFmpeg's own program makes them).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.stream import Discard

from tracker_blur.video.programs import program_tracks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

_ARBITRARY_CLOCKS = {"mpegts", "mpeg"}
_LONGEST_GAP_SECONDS = 10  # FFmpeg's threshold; longer ones are jumps of the clock
_LONGEST_STEP_BACK_SECONDS = 1
_EXACT_SECONDS = Fraction(1, 2)
_KEPT_OFFSETS = 3  # tracks reach a jump one after the other


def has_arbitrary_clock(container: InputContainer) -> bool:
    """Return whether a file's clock starts anywhere and may jump."""
    return bool(_ARBITRARY_CLOCKS & set(container.format.name.split(",")))


def clock_start(path: Path, container: InputContainer, video_index: int) -> Fraction:
    """Return the seconds on a file's clock when it starts; 0 unless that clock is arbitrary.

    Args:
        path: The file.
        container: The same, opened.
        video_index: The track that is redacted; its program's clock counts.
    """
    if not has_arbitrary_clock(container):
        return Fraction(0)
    program = program_tracks(path, container, video_index)
    if len(program) == len(container.streams):
        return Fraction(container.start_time or 0, av.time_base)
    starts = (
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.index in program and stream.start_time is not None and stream.time_base
    )
    return min(starts, default=Fraction(0))


def demuxed(
    path: Path,
    container: InputContainer,
    video_index: int,
    tracks: Collection[int] | None = None,
) -> Iterator[Packet[Stream]]:
    """Yield the packets of some tracks, in the order of the file, on a clock that does not jump.

    Args:
        path: The file.
        container: The same, opened.
        video_index: The track that is redacted; its program's clock counts.
        tracks: The indexes of the tracks; None: all.
    """
    if not has_arbitrary_clock(container):
        if tracks is None:
            yield from container.demux()
            return
        for stream in container.streams:
            if stream.index not in tracks:
                stream.discard = Discard.all
        yield from container.demux([container.streams[index] for index in tracks])
        return
    # Which track reaches a jump first decides about its size: all are read, whatever is wanted.
    clock = _ContinuousClock()
    program = program_tracks(path, container, video_index)
    for packet in container.demux():
        if packet.stream.index in program:
            clock.correct(packet)
        if tracks is None or packet.stream.index in tracks:
            yield packet


class _ContinuousClock:
    """Takes the jumps out of the times of packets."""

    def __init__(self) -> None:
        self._offsets = [Fraction(0)]  # seconds, the last ones
        self._now: Fraction | None = None
        self._next: dict[int, Fraction] = {}  # when each track's next packet is due

    def correct(self, packet: Packet[Stream]) -> None:
        """Change a packet's times. A jump counts if audio or video makes it."""
        ticks = packet.dts if packet.pts is None else packet.pts
        if ticks is None or not packet.size:
            return
        stated = ticks * packet.time_base
        offset = self._offset(packet.stream, stated)
        if packet.stream.type in ("audio", "video"):
            self._now = stated - offset
            duration = (packet.duration or 0) * packet.time_base
            self._next[packet.stream.index] = self._now + duration
        # At a jump, FFmpeg gives a packet the decoding time of the previous one.
        time = stated - offset
        if packet.dts is not None:
            decoded = packet.dts * packet.time_base
            own = min(self._offsets, key=lambda known: abs(decoded - known - time))
            packet.dts -= round(own / packet.time_base)
        if packet.pts is not None:
            packet.pts -= round(offset / packet.time_base)

    def _offset(self, stream: Stream, stated: Fraction) -> Fraction:
        now = self._now
        if now is None:
            return self._offsets[-1]
        due = self._next.get(stream.index)
        # Where a track has no packets for long, the others give the time; it may differ from
        # theirs.
        is_sparse = due is None or abs(due - now) > _LONGEST_GAP_SECONDS
        if due is None or is_sparse:
            due = now
        for known in reversed(self._offsets):
            if abs(stated - known - due) < _EXACT_SECONDS:
                return known
        offset = self._offsets[-1]
        step = stated - offset - due
        longest_back = _LONGEST_GAP_SECONDS if is_sparse else _LONGEST_STEP_BACK_SECONDS
        is_jump = step > _LONGEST_GAP_SECONDS or step < -longest_back
        if not is_jump or stream.type not in ("audio", "video"):
            return offset
        self._offsets = [*self._offsets, stated - due][-_KEPT_OFFSETS:]
        return self._offsets[-1]
