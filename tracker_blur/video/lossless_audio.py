"""LosslessAudio: audio that a container cannot hold, decoded and stored without loss.

Broadcasts and discs have codecs for which other containers have no tag: AAC in LATM, the LPCM of
Blu-ray and DVD, SMPTE 302M, Nellymoser. FLAC and PCM hold integer samples to the bit. Of a codec
with loss they hold what every player would hear, to 24 bits.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import av
from av.audio.resampler import AudioResampler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream

    from tracker_blur.video.audio_editing import AudioEditor

LosslessCodec: TypeAlias = Literal["flac", "pcm"]
StoredCodec: TypeAlias = Literal["flac", "pcm", "opus"]

_SHORT_FORMATS = frozenset({"u8", "u8p", "s16", "s16p"})  # whose samples fit into 16 bits
_EXACT_CODECS = {  # the first letters of PCM codecs with more than 24 bits
    "pcm_f32": ("pcm_f32le", "flt"),
    "pcm_f64": ("pcm_f64le", "dbl"),
    "pcm_s32": ("pcm_s32le", "s32"),
}
_OPUS_RATE = 48_000
_OPUS_CHANNEL_BITS, _OPUS_BITS = 256_000, 510_000  # a second: the most that it takes
_MOST_FLAC_CHANNELS = 8
_JITTER_SECONDS = 0.01  # clocks of containers round, and audio has no holes so short


class LosslessAudio:
    """A track of audio in the output, decoded and encoded without loss.

    Args:
        stream: The track in the input; its rate and channels are known.
        output: The output.
        codec: What the container holds without loss; or Opus, which is near it at its highest bit
            rate, for WebM, which holds nothing without loss.
        editor: Replaces parts of it; None: it stays as it is.

    Attributes:
        target: The track in the output.
        codec: FFmpeg's name of its codec.
    """

    def __init__(
        self,
        stream: AudioStream,
        output: OutputContainer,
        codec: StoredCodec,
        editor: AudioEditor | None = None,
    ) -> None:
        self._editor = editor
        self._decoder: Any = stream.codec_context
        self.codec, self._format = _encoder(self._decoder, codec)
        self._rate, self._layout = self._decoder.rate, self._decoder.layout
        if codec == "opus":
            self._rate = _OPUS_RATE
        self.target: Stream = output.add_stream(self.codec, rate=self._rate)
        context: Any = self.target.codec_context
        context.format, context.layout = self._format, self._layout
        context.time_base = Fraction(1, self._rate)
        if codec == "opus":
            context.bit_rate = min(_OPUS_BITS, _OPUS_CHANNEL_BITS * self._decoder.channels)
        context.open()
        self._encoder = context
        self._resampler: AudioResampler | None = None
        self._input: tuple[str, str, int] | None = None
        self._next: int | None = None

    def packets(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Yield the output's packets that are ready after one of the input."""
        decoder: Any = packet.stream.codec_context
        if decoder is not self._decoder:  # the next link of a chained file
            yield from self._drained()
            self._decoder = decoder
        yield from self._decoded(packet)

    def finish(self) -> Iterator[Packet[Stream]]:
        """Yield what decoder and encoder have held back."""
        yield from self._drained()
        if self._resampler is not None:
            yield from self._encoded(self._resampler.resample(None))
        yield from self._muxable(self._encoder.encode(None))

    def _drained(self) -> Iterator[Packet[Stream]]:
        return self._decoded(None)

    def _decoded(self, packet: Packet[Stream] | None) -> Iterator[Packet[Stream]]:
        """Yield what comes of a packet; of None, what the decoder has held back."""
        try:
            frames: list[Any] = self._decoder.decode(packet)
        except av.FFmpegError:  # players pass over damaged audio, too
            return
        for frame in frames:
            yield from self._encoded(self._resampled(frame))

    def _resampled(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Yield frames in the encoder's format and of its size; the input's may change."""
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._input:
            if self._resampler is not None:
                yield from self._resampler.resample(None)
            self._resampler = AudioResampler(
                self._format, self._layout, self._rate, self._encoder.frame_size or None
            )
            self._input = kind
        assert self._resampler is not None
        self._set_time(frame)
        yield from self._resampler.resample(frame)

    def _set_time(self, frame: AudioFrame) -> None:
        """Count samples, as long as the clock agrees."""
        rate = frame.sample_rate
        due = None if self._next is None else Fraction(self._next, self._rate)
        given = due if frame.pts is None else frame.pts * (frame.time_base or Fraction(0))
        seconds = given or Fraction(0)
        if due is not None and abs(seconds - due) < _JITTER_SECONDS:
            seconds = due
        frame.pts, frame.time_base = round(seconds * rate), Fraction(1, rate)
        self._next = round((seconds + Fraction(frame.samples, rate)) * self._rate)

    def _encoded(self, frames: Iterable[AudioFrame]) -> Iterator[Packet[Stream]]:
        for frame in frames:
            edited = frame if self._editor is None else self._editor.edited(frame)
            yield from self._muxable(self._encoder.encode(edited))

    def _muxable(self, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        for packet in packets:
            packet.stream = self.target
            yield packet


def _encoder(decoder: Any, codec: StoredCodec) -> tuple[str, str]:
    """Return the names of the encoder and of its sample format."""
    if codec == "opus":
        return "libopus", "flt"
    name = decoder.codec.canonical_name
    if name[:7] in _EXACT_CODECS:
        return _EXACT_CODECS[name[:7]]
    form = "s16" if decoder.format.name in _SHORT_FORMATS else "s32"
    if codec == "flac" and decoder.channels <= _MOST_FLAC_CHANNELS:
        return "flac", form
    return ("pcm_s16le" if form == "s16" else "pcm_s24le"), form
