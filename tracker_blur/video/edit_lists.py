"""What of an MP4's or MOV's audio and subtitles is shown, by the edit lists of its tracks.

Programs that trim without encoding leave all packets in the file and name the parts to be shown
(ISO 14496-12, 8.6.6). A copy of all packets would bring back what was cut away.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import av
from av.codec.codec import Properties

from tracker_blur.video.opening import open_input

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

_PRIMING_PACKETS = 3  # that a lossy encoder may put in front: 2112 samples of AAC, twice for HE-AAC
_PADDING_PACKETS = 1  # that it may put behind, and that are not to be heard either
_HEADER = 8
_REACH_PACKETS = 1.5  # how far behind itself a packet holds sound: one, and half with MP3's filters
_LARGEST_LIST = 1 << 20  # bytes; no editor makes a longer one
_PARENTS = {b"moov", b"trak", b"edts", b"mdia"}
_EMPTY_EDIT = -1

Spans = list[tuple[float, float]]
"""Intervals of a track's own time, in its ticks; ascending and apart."""


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
        edits = _edit_lists(path)
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

    def __init__(self, stream: Stream, edits: _Edits) -> None:
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
            return _Part(
                0, 0, count, self._is_divisible
            )  # what a decoder needs before a later edit
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


@dataclass(frozen=True, slots=True)
class _Edits:
    """A track's edit list.

    Attributes:
        spans: What is shown of the track.
        tolerance: How exact they are, in ticks of the track.
    """

    spans: Spans
    tolerance: int


def _edit_lists(path: Path) -> dict[int, _Edits]:
    """Return the edit list of each track that has one, by the track's identifier."""
    movie_scale = 0
    tracks: list[dict[bytes, bytes]] = []
    with path.open("rb") as file:
        for kind, body in _boxes(file, 0, path.stat().st_size):
            if kind == b"mvhd":
                movie_scale = _time_scale(body)
            elif kind == b"trak":
                tracks.append({})
            elif tracks:
                tracks[-1].setdefault(kind, body)
    edits = {}
    for boxes in tracks:
        if movie_scale and {b"tkhd", b"mdhd", b"elst"} <= boxes.keys():
            header = boxes[b"tkhd"]
            at = 20 if header[0] else 12
            scale = _time_scale(boxes[b"mdhd"])
            identifier = int.from_bytes(header[at : at + 4], "big")
            spans = _merged(_spans(boxes[b"elst"], movie_scale, scale))
            edits[identifier] = _Edits(spans, 1 + scale // movie_scale)
    return edits


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, body) of each box that matters here; a parent's body is empty."""
    while start + _HEADER <= end:
        file.seek(start)
        header = file.read(2 * _HEADER)
        size, kind, head = int.from_bytes(header[:4], "big"), header[4:8], _HEADER
        if size == 1:
            size, head = int.from_bytes(header[8:16], "big"), 2 * _HEADER
        elif size == 0:
            size = end - start
        if size < head:
            return
        if kind in _PARENTS:
            yield kind, b""
            yield from _boxes(file, start + head, min(end, start + size))
        elif kind in (b"mvhd", b"tkhd", b"mdhd", b"elst"):
            file.seek(start + head)
            yield kind, file.read(min(size - head, _LARGEST_LIST))
        start += size


def _time_scale(header: bytes) -> int:
    """Return the ticks per second of an "mvhd" or "mdhd" box."""
    at = 20 if header[:1] == b"\1" else 12
    return int.from_bytes(header[at : at + 4], "big")


def _spans(box: bytes, movie_scale: int, scale: int) -> Iterator[tuple[float, float]]:
    """Yield which parts of a track an "elst" box shows, in ticks of the track."""
    width = 8 if box[:1] == b"\1" else 4
    count = int.from_bytes(box[4:8], "big")
    step = 2 * width + 4
    for at in range(8, min(len(box) - step + 1, 8 + count * step), step):
        duration = int.from_bytes(box[at : at + width], "big")
        start = int.from_bytes(box[at + width : at + 2 * width], "big", signed=True)
        if start != _EMPTY_EDIT:
            # FFmpeg takes an edit without a duration for one up to the end.
            yield start, start + duration * scale / movie_scale if duration else float("inf")


def _merged(spans: Iterator[tuple[float, float]]) -> Spans:
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged
