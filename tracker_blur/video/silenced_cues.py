"""SilencedCues: finds the subtitles that are shown while the audio is replaced.

Who has a name muted does not want to read it, either. A cue that is on the screen at some time of a
span is left out as a whole, whether it is text or an image. Many formats of images do not say how
long one is shown: then it is until the next one, which may be an empty one that only clears it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from av.packet import Packet
    from av.stream import Stream

    from tracker_blur.video.audio_editing import AudioEditor

_PGS_COMPOSITION = 0x16  # it begins what is shown together; in transport streams, in a packet alone
_PGS_OBJECT_COUNT_AT = 13  # in a composition: behind its type and size, and ten bytes
_DVB_SYNC, _DVB_PAGE = 0x0F, 0x10  # ETSI EN 300 743, 7.2
_DVB_HEADER_BYTES = 6
_DVB_EMPTY_PAGE_BYTES = 2  # without regions


class SilencedCues:
    """The cues of one track that are shown while audio is replaced.

    Args:
        stream: the track.
        starts: when each of its packets is shown, on the input's clock, in seconds, ascending.
        editor: knows what is replaced.

    Attributes:
        count: how many cues there were so far.
    """

    def __init__(self, stream: Stream, starts: Sequence[Fraction], editor: AudioEditor) -> None:
        self._codec = stream.codec_context.codec.canonical_name
        self._starts = starts
        self._editor = editor
        self._is_silenced = False
        self.count = 0

    def has(self, packet: Packet[Stream]) -> bool:
        """Return whether the track's next packet belongs to such a cue."""
        data = bytes(packet)
        if self._codec == "hdmv_pgs_subtitle" and data[:1] != bytes([_PGS_COMPOSITION]):
            return self._is_silenced  # a further part of the same image
        self._is_silenced = not _only_clears(self._codec, data) and self._editor.meets(
            *self._times(packet)
        )
        self.count += self._is_silenced
        return self._is_silenced

    def _times(self, packet: Packet[Stream]) -> tuple[Fraction, Fraction | None]:
        """Return when a cue begins and ends; None: with the track."""
        begin = shown_at(packet)
        if packet.duration and self._codec != "hdmv_pgs_subtitle":
            return begin, begin + packet.duration * packet.time_base
        following = bisect_right(self._starts, begin)
        return begin, self._starts[following] if following < len(self._starts) else None


def shown_at(packet: Packet[Stream]) -> Fraction:
    """Return when a packet is shown, on its track's clock, in seconds."""
    time = packet.dts if packet.pts is None else packet.pts
    return (time or 0) * packet.time_base


def _only_clears(codec: str, data: bytes) -> bool:
    """Return whether a packet of images shows nothing, and ends what was shown before."""
    if codec == "hdmv_pgs_subtitle":
        return data[_PGS_OBJECT_COUNT_AT : _PGS_OBJECT_COUNT_AT + 1] == b"\0"
    if codec != "dvb_subtitle":
        return False
    pages = []
    at = 0
    while data[at : at + 1] == bytes([_DVB_SYNC]) and at + _DVB_HEADER_BYTES <= len(data):
        size = int.from_bytes(data[at + 4 : at + 6], "big")
        if data[at + 1] == _DVB_PAGE:
            pages.append(size)
        at += _DVB_HEADER_BYTES + size
    return bool(pages) and max(pages) <= _DVB_EMPTY_PAGE_BYTES
