"""Carries sound and subtitles over as they are, in step with the pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.settings import MetadataRule
from tracker_blur.video.captions import CaptionConverter, is_text
from tracker_blur.video.containers import ContainerFormat
from tracker_blur.video.metadata import track_tags
from tracker_blur.video.vorbis import without_comments


class CopiedTrack:
    """A track of sound or subtitles in the output.

    Packets are passed on as they are, but for text subtitles that the container knows in another
    form only.

    start   seconds that the output's clock is behind the input's

    Raises SinkError when the container cannot hold the track.
    """

    def __init__(
        self,
        stream: Stream,
        output: OutputContainer,
        form: ContainerFormat,
        rule: MetadataRule,
        start: Fraction,
    ) -> None:
        self._converter: CaptionConverter | None = None
        if _can_hold(form, stream):
            self.target: Stream = output.add_stream_from_template(stream, opaque=True)
            if stream.codec_context.codec.canonical_name == "vorbis":
                setup = stream.codec_context.extradata or b""
                self.target.codec_context.extradata = without_comments(setup)
        elif form.subtitles and is_text(stream):
            self._converter = CaptionConverter(stream, output, form.subtitles)
            self.target = self._converter.target
        else:
            advice = "remove it first" if form.muxer == "matroska" else "write a .mkv file"
            raise SinkError(f"{form.muxer} files cannot hold {_described(stream)}: {advice}")
        self.target.metadata.update(track_tags(stream.metadata, stream.type, rule))
        self.target.disposition = stream.disposition
        self._start = start
        self._least_step = 1 if form.is_strict and stream.type == "audio" else 0
        self._last: int | None = None
        self._fills_gaps = stream.codec_context.codec.canonical_name == "mov_text"

    def carried(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return what the output takes for a packet of the input, if anything."""
        if self._is_padding(packet):
            return None
        converted = packet if self._converter is None else self._converter.converted(packet)
        if converted is None:
            return None
        dts = converted.pts if converted.dts is None else converted.dts
        if dts is None:
            return None  # a packet without any time, which no player shows
        pts = dts if converted.pts is None else converted.pts
        shift = round(self._start / converted.time_base)
        dts, pts = dts - shift, pts - shift
        if self._last is not None:  # muxers refuse what goes back in time
            dts = max(dts, self._last + self._least_step)
        self._last = dts
        converted.dts, converted.pts = dts, max(dts, pts)
        converted.stream = self.target
        return converted

    def _is_padding(self, packet: Packet[Stream]) -> bool:
        """Whether it only fills the time between two subtitles; the muxer does that itself."""
        return self._fills_gaps and bytes(packet)[:2] == b"\0\0"


class Copier:
    """Reads the tracks that are kept, no faster than the pictures are written.

    tracks    by the index of the track in the input
    partial   accept an input that breaks off
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        tracks: Mapping[int, CopiedTrack],
        *,
        partial: bool,
    ) -> None:
        self._path = path
        self._tracks = tracks
        self._partial = partial
        for stream in container.streams:
            if stream.index not in tracks:
                stream.discard = Discard.all
        self._packets = container.demux([container.streams[index] for index in tracks])
        self._next: Packet[Stream] | None = None

    def up_to(self, seconds: Fraction | None) -> Iterator[Packet[Stream]]:
        """Give the packets that are due before a time on the input's clock; None: all the rest.

        Raises SourceError when the input cannot be read further.
        """
        if not self._tracks:
            return
        while True:
            packet = self._read() if self._next is None else self._next
            self._next = packet
            if packet is None or (seconds is not None and _time(packet) > seconds):
                return
            self._next = None
            carried = self._tracks[packet.stream.index].carried(packet)
            if carried is not None:
                yield carried

    def _read(self) -> Packet[Stream] | None:
        try:
            for packet in self._packets:
                if packet.size and not (self._partial and packet.is_corrupt):
                    return packet
        except (av.FFmpegError, OSError) as error:
            if not self._partial:
                raise SourceError(
                    f"{self._path}: its sound cannot be read further: "
                    "get the whole file, or accept a part of it (`partial`)"
                ) from error
        return None


def _can_hold(form: ContainerFormat, stream: Stream) -> bool:
    """Try it with a file in memory: muxers accept what they then refuse to write."""
    try:
        with av.open(io.BytesIO(), "w", format=form.muxer) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _time(packet: Packet[Stream]) -> Fraction:
    dts = packet.pts if packet.dts is None else packet.dts
    return (dts or 0) * packet.time_base


def _described(stream: Stream) -> str:
    codec = stream.codec_context.codec.canonical_name
    language = f", {stream.language}" if stream.language else ""
    return f"track {stream.index} ({stream.type}, {codec}{language})"
