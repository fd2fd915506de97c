"""What of an MP4's or MOV's audio and subtitles is shown, by the edit lists of its tracks.

Programs that trim without encoding leave all packets in the file and name the parts to be shown
(ISO 14496-12, 8.6.6). A copy of all packets would bring back what was cut away.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
from av.codec.codec import Properties

from tracker_blur.video.edit_list_parser import EditList, Spans, edit_lists
from tracker_blur.video.opening import open_input

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

_PRIMING_PACKETS = 3  # that a lossy encoder may put in front: 2112 samples of AAC, twice for HE-AAC
_PADDING_PACKETS = 1  # that it may put behind, and that are not to be heard either
_REACH_PACKETS = 1.5  # how far behind itself a packet holds audio: one, and half with MP3's filters


class ShownMedia:
    """Reduces a file's packets to what is shown.

    PCM is cut exactly. Of other codecs, packets that reach over a cut are dropped: there, up to
    three packets (about 60 ms) of what is shown are lost. Packets that an encoder itself puts in
    front and behind stay, because decoders need them.

    Args:
        path: The file.
        container: The same, opened.
    """

    def __init__(self, path: Path, container: InputContainer) -> None:
        self._tracks: dict[int, _EditedAudio] = {}
        if "mov" not in container.format.name.split(","):
            return
        edits = edit_lists(path)
        if not any(edits.get(stream.id) for stream in container.streams.audio):
            return
        with open_input(path, {"ignore_editlist": "1"}) as whole:
            for stream in whole.streams.audio:
                if stream.codec_context is not None and edits.get(stream.id):
                    self._tracks[stream.index] = _EditedAudio(stream, edits[stream.id])

    def part(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return the part of a packet that is shown; None if there is none."""
        track = self._tracks.get(packet.stream.index)
        part = None if track is None else track.part(packet)
        if track is None or part is None:  # the parts of fragmented files are not listed
            return None if packet.is_discard else packet
        return part.of(packet)


@dataclass(frozen=True, slots=True)
class _Part:
    """Which samples of a packet are shown: from `first` up to `end`."""

    first: int
    end: int
    count: int
    is_divisible: bool

    def of(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        if (self.first, self.end) == (0, self.count):
            return packet
        if self.first >= self.end or not self.is_divisible or packet.size % self.count:
            return None
        sample_bytes = packet.size // self.count
        cut = av.Packet(bytes(packet)[self.first * sample_bytes : self.end * sample_bytes])
        cut.stream, cut.time_base = packet.stream, packet.time_base
        cut.pts = None if packet.pts is None else packet.pts + self.first
        cut.dts, cut.duration = cut.pts, self.end - self.first
        cut.is_keyframe = packet.is_keyframe
        return cut


class _EditedAudio:
    """The packets of a track with an edit list, by their places in the file."""

    def __init__(self, stream: Stream, edits: EditList) -> None:
        entries = sorted((entry.timestamp, entry.pos) for entry in stream.index_entries)
        self._starts = [start for start, _ in entries]
        self._time_of = {position: start for start, position in entries}
        codec = stream.codec_context.codec
        is_lossy = Properties.LOSSY in Properties(codec.properties)
        self._is_divisible = codec.canonical_name.startswith("pcm_")
        self._reach = _REACH_PACKETS if is_lossy else 0.0
        self._tolerance = edits.tolerance
        self._has_begun = False
        self._begin = edits.spans[0][0] if edits.spans else 0
        self._spans = self._with_the_encoder_s_own(edits.spans) if is_lossy else edits.spans

    def part(self, packet: Packet[Stream]) -> _Part | None:
        """Return which samples of a packet are shown; None if its place is not known."""
        start = self._time_of.get(packet.pos if packet.pos is not None else -1)
        if start is None:
            return None
        count = self._duration(start, packet)
        if packet.is_discard and (self._has_begun or start >= self._begin):
            # What a decoder needs before a later edit.
            return _Part(0, 0, count, self._is_divisible)
        self._has_begun |= not packet.is_discard
        for first, end in self._spans:
            if start < end and first < start + count:
                from_start = max(0.0, first - start)
                to_end = min(count, end - start - self._reach * count)
                return _Part(
                    0 if from_start <= self._tolerance else math.ceil(from_start),
                    count if to_end >= count - self._tolerance else math.floor(to_end),
                    count,
                    self._is_divisible,
                )
        return _Part(0, 0, count, self._is_divisible)

    def _duration(self, start: int, packet: Packet[Stream]) -> int:
        """Return how long a packet is; FFmpeg shortens the duration of one that is cut."""
        following = bisect.bisect_right(self._starts, start)
        if following < len(self._starts):
            return self._starts[following] - start
        return packet.duration or 0

    def _with_the_encoder_s_own(self, spans: Spans) -> Spans:
        if not spans or not self._starts:
            return spans
        spans = list(spans)
        priming_end = self._starts[: _PRIMING_PACKETS + 1][-1]
        if spans[0][0] < priming_end:
            spans[0] = float("-inf"), spans[0][1]
        hidden_behind = len(self._starts) - bisect.bisect_left(self._starts, spans[-1][1])
        if hidden_behind <= _PADDING_PACKETS:
            spans[-1] = spans[-1][0], float("inf")
        return spans
