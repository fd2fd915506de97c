"""SubtitleTrack: subtitles on their way into the output, cleaned and without telemetry."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.codec.codec import Properties
from av.packet import Packet

from tracker_blur.video.subtitle_cleaning import Cleaner, cleaner
from tracker_blur.video.telemetry import Evidence, evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.container import OutputContainer
    from av.stream import Stream
    from av.subtitles.codeccontext import SubtitleCodecContext
    from av.subtitles.stream import SubtitleStream
    from av.subtitles.subtitle import AssSubtitle

_MILLISECOND = Fraction(1, 1000)
_OVERRIDES = re.compile(r"\{[^{}]*\}")
_FIELDS_BEFORE_TEXT = 8  # of a decoded event


class SubtitleTrack:
    """A track of subtitles in the output.

    Args:
        stream: The track in the input.
        output: The output.
        codec: FFmpeg's name of the encoder that converts it; None: it is copied in its own form.
        as_is: Neither clean it nor leave out telemetry.

    Attributes:
        target: The track in the output.
    """

    def __init__(
        self, stream: Stream, output: OutputContainer, codec: str | None, *, as_is: bool
    ) -> None:
        self._filter = SubtitleFilter(stream, as_is=as_is)
        self._converter: _Converter | None = None
        self._last_cleaner: Cleaner | None = None
        header = self._filter.header
        if codec is not None:
            self._converter = _Converter(stream, output, codec, header)
            self.target: Stream = self._converter.target
            self._last_cleaner = None if as_is else cleaner(codec, b"")
        else:
            self.target = output.add_stream_from_template(stream, opaque=True)
            if header is not None:
                self.target.codec_context.extradata = header or None

    def convert(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return the output's packet for one of the input, if there is any."""
        filtered = self._filter.filtered(packet)
        if self._converter is None or filtered is None:
            return filtered
        filtered.stream = packet.stream  # whose decoder takes it
        converted = self._converter.convert(filtered)
        return None if converted is None else _cleaned(converted, self._last_cleaner)


class SubtitleFilter:
    """Cleans the packets of a track, and leaves out those that hold telemetry.

    Args:
        stream: The track.
        as_is: Change nothing.

    Attributes:
        header: The track's setup data, cleaned; None if it stays as it is.
    """

    def __init__(self, stream: Stream, *, as_is: bool) -> None:
        self._fills_gaps = _codec(stream) == "mov_text"
        self._cleaner = None if as_is else stream_cleaner(stream)
        self._reader = None if as_is else CueReader(stream)
        self.header = None if self._cleaner is None else self._cleaner.header

    def filtered(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return the packet as it may be written, if it may."""
        if self._fills_gaps and bytes(packet)[:2] == b"\0\0":
            return None  # it only fills the time between two subtitles, as the muxer does itself
        if self._reader is not None and evidence(self._reader.text(packet)) is Evidence.STRONG:
            return None
        return _cleaned(packet, self._cleaner)


class CueReader:
    """Reads what a track says; nothing, if it holds images of text."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._cleaner = stream_cleaner(stream)

    def text(self, packet: Packet[Stream]) -> str:
        """Return the text of a packet, without what is never written."""
        if self._cleaner is not None:
            return self._cleaner.text(bytes(packet))
        try:
            decoder = cast("SubtitleCodecContext", self._stream.codec_context)
            decoded = cast("Sequence[AssSubtitle]", decoder.decode2(packet) or ())
        except av.FFmpegError:  # then it cannot be converted, either
            return ""
        events = (event.ass.decode("utf-8", "replace") for event in decoded)
        return "\n".join(
            _OVERRIDES.sub("", event.split(",", _FIELDS_BEFORE_TEXT)[-1]) for event in events
        )


def is_text(stream: Stream) -> bool:
    """Return whether a track holds subtitles as text, rather than as images of text."""
    properties = Properties(stream.codec_context.codec.properties)
    return stream.type == "subtitle" and Properties.TEXT_SUB in properties


def stream_cleaner(stream: Stream) -> Cleaner | None:
    """Return what cleans a track in its own form; None if it must be converted."""
    return cleaner(_codec(stream), stream.codec_context.extradata or b"")


def _codec(stream: Stream) -> str:
    return stream.codec_context.codec.canonical_name


def _cleaned(packet: Packet[Stream], by: Cleaner | None) -> Packet[Stream] | None:
    """Return a packet with a clean payload and no side data; None if nothing is left."""
    if by is None:
        return packet
    payload = by.clean(bytes(packet))
    if not payload:
        return None
    cleaned: Packet[Stream] = Packet(payload)
    cleaned.pts, cleaned.dts = packet.pts, packet.dts
    cleaned.duration, cleaned.time_base = packet.duration, packet.time_base
    cleaned.is_keyframe = packet.is_keyframe
    return cleaned


class _Converter:
    """Converts text subtitles from one container's form to another's, with simple styles."""

    def __init__(
        self, stream: Stream, output: OutputContainer, codec: str, header: bytes | None
    ) -> None:
        self._decoder = cast("SubtitleCodecContext", stream.codec_context)
        self._decoder.open(strict=False)
        self.target = cast("SubtitleStream", output.add_stream(codec))
        self._encoder = self.target.codec_context
        is_ass = _codec(stream) == "ass" and header is not None  # whose styles have new names
        self._encoder.subtitle_header = header if is_ass else self._decoder.subtitle_header
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
