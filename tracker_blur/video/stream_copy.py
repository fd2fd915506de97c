"""Copies audio and subtitles into the output, in step with the video."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.codec.codec import Properties
from av.stream import Discard, Stream

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.video.metadata import track_tags, without_vorbis_comments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.subtitles.codeccontext import SubtitleCodecContext
    from av.subtitles.stream import SubtitleStream

    from tracker_blur.settings import MetadataRule
    from tracker_blur.video.containers import ContainerFormat

_MILLISECOND = Fraction(1, 1000)


class StreamCopier:
    """Reads the tracks that are kept, no further than the video is written.

    Args:
        path: The input, for messages.
        container: The input.
        tracks: By the index of the track in the input.
        partial: Accept a truncated input.
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
        """Yield the packets that are due before a time on the input's clock; None: all the rest.

        Raises:
            SourceError: The input cannot be read further.
        """
        if not self._tracks:
            return
        while True:
            packet = self._read() if self._next is None else self._next
            self._next = packet
            if packet is None or (seconds is not None and _time(packet) > seconds):
                return
            self._next = None
            copied = self._tracks[packet.stream.index].copy(packet)
            if copied is not None:
                yield copied

    def _read(self) -> Packet[Stream] | None:
        try:
            for packet in self._packets:
                if packet.size and not (self._partial and packet.is_corrupt):
                    return packet
        except (av.FFmpegError, OSError, IndexError) as error:  # IndexError: a joined recording
            if not self._partial:
                raise SourceError(
                    f"{self._path}: its audio cannot be read to the end: "
                    "get the complete file, or keep what can be read with",
                    remedy="partial",
                ) from error
        return None


class CopiedTrack:
    """A track of audio or subtitles in the output.

    Packets are copied as they are, except for text subtitles that the container has in another
    form only.

    Args:
        stream: The track in the input.
        output: The output.
        form: The format of the output.
        rule: Which tags are kept.
        start: Seconds by which the output's clock is behind the input's.

    Attributes:
        target: The track in the output.

    Raises:
        SinkError: The container cannot hold the track.
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
                self.target.codec_context.extradata = without_vorbis_comments(setup)
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

    def copy(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return the output's packet for one of the input, if there is any."""
        if self._fills_gaps and bytes(packet)[:2] == b"\0\0":
            return None  # it only fills the time between two subtitles, as the muxer does itself
        copied = packet if self._converter is None else self._converter.convert(packet)
        if copied is None:
            return None
        dts = copied.pts if copied.dts is None else copied.dts
        if dts is None:
            return None  # no player shows a packet without a time
        pts = dts if copied.pts is None else copied.pts
        shift = round(self._start / copied.time_base)
        dts, pts = dts - shift, pts - shift
        if self._last is not None:  # muxers refuse decoding times that go back
            dts = max(dts, self._last + self._least_step)
        self._last = dts
        copied.dts, copied.pts = dts, max(dts, pts)
        copied.stream = self.target
        return copied


class CaptionConverter:
    """Converts text subtitles from one container's form to another's, with simple styles.

    Args:
        stream: The track in the input.
        output: The output.
        codec: FFmpeg's name of the encoder.

    Attributes:
        target: The track in the output.
    """

    def __init__(self, stream: Stream, output: OutputContainer, codec: str) -> None:
        self._decoder = cast("SubtitleCodecContext", stream.codec_context)
        self._decoder.open(strict=False)
        self.target = cast("SubtitleStream", output.add_stream(codec))
        self._encoder = self.target.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._encoder.time_base = _MILLISECOND

    def convert(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return the subtitle in its new form; None if the packet only ends the previous one."""
        subtitle = self._decoder.decode2(packet)
        if subtitle is None:
            return None
        encoded = self._encoder.encode_subtitle(subtitle)
        if not encoded.size:
            return None
        encoded.pts, encoded.dts = packet.pts, packet.dts
        encoded.duration, encoded.time_base = packet.duration, packet.time_base
        return encoded


def is_text(stream: Stream) -> bool:
    """Return whether a track holds subtitles as text, rather than as images of text."""
    properties = Properties(stream.codec_context.codec.properties)
    return stream.type == "subtitle" and Properties.TEXT_SUB in properties


def _can_hold(form: ContainerFormat, stream: Stream) -> bool:
    """Try it with a file in memory: muxers accept tracks that they then refuse to write."""
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
