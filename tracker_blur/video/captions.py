"""Text subtitles, turned from one container's form into another's."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from av.codec.codec import Properties
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream

_MILLISECOND = Fraction(1, 1000)


def is_text(stream: Stream) -> bool:
    """Return whether a track holds subtitles as text, not as pictures of text."""
    properties = Properties(stream.codec_context.codec.properties)
    return stream.type == "subtitle" and Properties.TEXT_SUB in properties


class CaptionConverter:
    """Decodes subtitles and encodes them anew, text and simple styles.

    target   the track in the output

    codec   FFmpeg's name of the encoder
    """

    def __init__(self, stream: Stream, output: OutputContainer, codec: str) -> None:
        self._decoder = cast(SubtitleCodecContext, stream.codec_context)
        self._decoder.open(strict=False)
        self.target = cast(SubtitleStream, output.add_stream(codec))
        self._encoder = self.target.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._encoder.time_base = _MILLISECOND

    def converted(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return the subtitle in its new form; None where the packet only ends the last one."""
        shown = self._decoder.decode2(packet)
        if shown is None:
            return None
        encoded = self._encoder.encode_subtitle(shown)
        if not encoded.size:
            return None
        encoded.pts, encoded.dts = packet.pts, packet.dts
        encoded.duration, encoded.time_base = packet.duration, packet.time_base
        return encoded
