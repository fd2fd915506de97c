"""All packets of a video, listed without decoding, and the packets that follow a seek.

After a seek, each packet must be the next one of the list, so that nothing is missed or decoded
twice, whatever a format's index says.
"""

from __future__ import annotations

import bisect
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
from av.stream import Discard

from tracker_blur.video.clock import demuxed
from tracker_blur.video.integrity import repeats
from tracker_blur.video.opening import open_input, video_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from tracker_blur.files.identity import FileIdentity

_SEEK_EARLIER_SECONDS = Fraction(0), Fraction(1), Fraction(8)
"""Where to seek, before a key frame: in some formats a seek leads to what was stored after it."""


class NotAsListedError(Exception):
    """What came after a seek is not what the list of packets says."""


@dataclass(frozen=True, slots=True)
class PacketList:
    """The packets of a track, in the order of the file.

    Attributes:
        pts: their presentation times, shape (n,); each once.
        positions: where they lie in the file, shape (n,).
        keys: which of them are key frames, in ascending order of their times.
        key_pts: the times of these.
    """

    pts: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    keys: list[int]
    key_pts: list[int]

    @classmethod
    def of(cls, identity: FileIdentity, times: npt.NDArray[np.int64]) -> PacketList | None:
        """List a video's packets; None if their times do not identify frames.

        Args:
            identity: the video.
            times: presentation times of its frames, as the reader gives them.
        """
        pts: list[int] = []
        positions: list[int] = []
        keys: list[int] = []
        # What cannot be read is reported when the video is read from its start.
        with open_input(identity.path) as container, suppress(av.FFmpegError, OSError, IndexError):
            stream = video_stream(container, identity.path)
            for packet in demuxed(identity.path, container, stream.index, (stream.index,)):
                if not packet.size:
                    continue
                if packet.pts is None or packet.pos is None:
                    return None
                if packet.is_keyframe:
                    keys.append(len(pts))
                pts.append(packet.pts)
                positions.append(packet.pos)
        listed = np.array(pts, np.int64)
        if len(np.unique(listed)) != len(listed) or not np.isin(times, listed).all():
            return None
        keys.sort(key=pts.__getitem__)
        return cls(listed, np.array(positions, np.int64), keys, [pts[key] for key in keys])

    def key_before(self, pts: int, back: int = 0) -> int | None:
        """Return the packet of the last key frame shown at a time or before, or an earlier one."""
        place = bisect.bisect_right(self.key_pts, pts) - 1 - back
        return self.keys[place] if place >= 0 else None

    def check(self, number: int, packet: Packet[Any]) -> None:
        """Raise NotAsListedError if a packet is not the one of this number."""
        if number >= len(self.pts) or (packet.pts, packet.pos) != (
            int(self.pts[number]),
            int(self.positions[number]),
        ):
            raise NotAsListedError


def packets_from(
    container: InputContainer, stream: VideoStream, packets: PacketList | None, key: int | None
) -> Iterator[Packet[Any]]:
    """Yield the packets from a key frame on, None: all; the last one is empty."""
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    if packets is None or key is None:
        yield from _with_content(container, stream)
        return
    for earlier in _SEEK_EARLIER_SECONDS:
        offset = int(packets.pts[key]) - round(earlier / (stream.time_base or 1))
        container.seek(offset, stream=stream, backward=True)
        if (found := _found(container, stream, packets, key)) is not None:
            break
    else:
        raise NotAsListedError
    yield found
    for number, packet in enumerate(_with_content(container, stream), key + 1):
        if packet.size:
            packets.check(number, packet)
        yield packet


def _found(
    container: InputContainer, stream: VideoStream, packets: PacketList, key: int
) -> Packet[Any] | None:
    """Read up to a key frame; None if a seek led behind it."""
    for packet in _with_content(container, stream):
        numbers = np.flatnonzero(packets.pts == packet.pts).tolist() if packet.size else []
        if not numbers or numbers[0] > key:
            return None
        if numbers[0] == key:
            packets.check(key, packet)
            return packet
    return None


def _with_content(container: InputContainer, stream: VideoStream) -> Iterator[Packet[Any]]:
    """Yield the packets from here on, the empty last one included."""
    return (packet for packet in container.demux(stream) if not repeats(packet))
