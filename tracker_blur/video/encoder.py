"""Encodes the redacted pictures into a new track."""

from __future__ import annotations

import os
from collections import deque
from fractions import Fraction
from typing import cast

import av
from av.codec.context import Flags, ThreadType
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tracker_blur.settings import Settings
from tracker_blur.video.encoder_settings import Encoder
from tracker_blur.video.fitting import Fit
from tracker_blur.video.hdr import hdr_options
from tracker_blur.video.stream_info import VideoTrack

_PARAMETERS = {
    "libx264": "x264-params",
    "libx265": "x265-params",
    "libsvtav1": "svtav1-params",
}
_INTERLACING = {"libx264", "mpeg2video", "mpeg4", "prores_ks"}
_COUNTED_RATE_LIMIT = 65_535  # MPEG-4 part 2 counts in 16 bits
_X265_REORDERED = 2  # pictures by which x265 delays those that refer to later ones


class PictureEncoder:
    """A new picture track that looks and keeps time as the one it replaces.

    stream   the track in the output

    Raises SinkError for settings that the encoder does not have, av.FFmpegError or ValueError
    when it cannot be opened.
    """

    def __init__(
        self, output: OutputContainer, track: VideoTrack, encoder: Encoder, settings: Settings
    ) -> None:
        self._track = track
        self._start = round(track.clock_start / track.time_base)
        self._fit = Fit(track, encoder)
        self._times: deque[tuple[int, int]] | None = deque() if encoder.counts_frames else None
        self._count = 0
        self._encoder_name = encoder.name
        self.stream = cast(
            VideoStream,
            output.add_stream(
                encoder.name,
                rate=_rate(track, encoder),
                options=_options(track, encoder, settings),
            ),
        )
        self._configure(encoder, is_alone=not settings.one_pass)

    def encode(self, picture: av.VideoFrame) -> list[Packet[VideoStream]]:
        """Encode one picture; returns what is ready to be written."""
        fitted = self._fit.fitted(picture)
        fitted.pts = (picture.pts or 0) - self._start
        fitted.time_base = self._track.time_base
        fitted.pict_type = 0  # the encoder decides, not the input
        if self._times is not None:
            self._times.append((fitted.pts, fitted.duration))
            fitted.pts, fitted.time_base = self._count, self.stream.codec_context.time_base
        self._count += 1
        return self._timed(self.stream.encode(fitted))

    def finish(self) -> list[Packet[VideoStream]]:
        """Return what the encoder still held back."""
        packets = self._timed(self.stream.encode(None))
        if self._encoder_name == "libx265" and self._count <= _X265_REORDERED:
            # It reads its delay off the third picture. Without one, it takes what lies in memory
            # for decoding times, but gives out pictures as they came.
            for packet in packets:
                packet.dts = packet.pts
        return packets

    def _configure(self, encoder: Encoder, *, is_alone: bool) -> None:
        track, context = self._track, self.stream.codec_context
        context.width, context.height = self._fit.size
        context.pix_fmt = self._fit.pixel_format
        context.sample_aspect_ratio = self._fit.pixel_aspect
        # In one pass a core is for finding faces meanwhile, and each thread of x264 holds frames of
        # its own. Threads on slices alone would cost it speed and size.
        cores = os.cpu_count() or 1
        context.thread_count = cores if is_alone else max(1, cores - 1)
        context.thread_type = ThreadType.AUTO
        context.flags |= Flags.frame_duration
        context.time_base = 1 / context.rate if encoder.counts_frames else track.time_base
        if track.is_interlaced and encoder.name in _INTERLACING and track.size[1] % 4 == 0:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        color = self._fit.color
        context.color_primaries, context.color_trc = color.primaries, color.transfer
        context.colorspace, context.color_range = color.matrix, color.range
        self.stream.time_base = track.time_base
        self.stream.set_display_matrix(track.matrix)
        if encoder.codec == "hevc":
            self.stream.codec_tag = "hvc1"  # what Apple's players want; others do not mind
        if encoder.name == "libsvtav1":
            os.environ.setdefault("SVT_LOG", "1")  # errors only, on the standard error

    def _timed(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        if self._times is not None:
            for packet in packets:
                packet.pts, packet.duration = self._times.popleft()
                packet.dts = packet.pts
                packet.time_base = self._track.time_base
        return packets


def _rate(track: VideoTrack, encoder: Encoder) -> Fraction:
    if not encoder.counts_frames:
        return track.rate
    rate = track.rate.limit_denominator(1001)
    return rate if rate.numerator <= _COUNTED_RATE_LIMIT else Fraction(round(rate))


def _options(track: VideoTrack, encoder: Encoder, settings: Settings) -> dict[str, str]:
    options = encoder.configured(settings)
    parameters = [hdr_options(encoder.name, track.mastering, track.light)]
    if encoder.name == "libx265":
        parameters.append("log-level=none")  # it prints to the terminal otherwise
    text = ":".join(filter(None, parameters))
    if text:
        options[_PARAMETERS[encoder.name]] = text
    return options
