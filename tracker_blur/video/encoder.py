"""Gives back the real-time priority that SVT-AV1 takes when it is run as root.

It takes it for its own threads and for the one that opens it, and then starves everything else
on the machine, this program's other stages included.

Brings pictures into the pixel format and size that an encoder takes; most are in it already.

Encodes the redacted pictures into a new track.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.codec.context import Flags, ThreadType
from av.container import OutputContainer
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from tracker_blur.settings import Settings
from tracker_blur.video import pixel_formats
from tracker_blur.video.encoder_settings import Encoder, pixel_format
from tracker_blur.video.pixel_formats import reformatted
from tracker_blur.video.stream_info import VideoTrack, hdr_options

_THREADS = Path("/proc/self/task")  # Linux only; elsewhere the encoder leaves priorities alone


@contextmanager
def kept_priority() -> Iterator[None]:
    """Make ordinary again each thread of this process that the block makes a real-time one."""
    before = _realtime_threads()
    try:
        yield
    finally:
        for thread in _realtime_threads() - before:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _realtime_threads() -> set[int]:
    found: set[int] = set()
    if sys.platform == "linux":
        for thread in _THREADS.iterdir():
            with suppress(ProcessLookupError):
                number = int(thread.name)
                if os.sched_getscheduler(number) in (os.SCHED_FIFO, os.SCHED_RR):
                    found.add(number)
    return found


_HD_LINES = 720
_BT709, _BT601 = 1, 6  # ITU-T H.273, table 4
_SWSCALE_MATRIX = {_BT709: Colorspace.ITU709, _BT601: Colorspace.ITU601}


class FrameConformer:
    """What an encoder gets of a track.

    pixel_format   FFmpeg's name of it
    size           (width, height) in pixels
    pixel_aspect   width of a pixel over its height
    color          how the samples are to be shown
    is_padded      whether the last column or row is repeated, since sides must be even
    """

    def __init__(self, track: VideoTrack, encoder: Encoder) -> None:
        self.pixel_format = pixel_format(encoder, track)
        self.pixel_aspect = track.pixel_aspect
        self._is_scaled = track.pixel_aspect != 1 and not encoder.knows_aspect
        width, height = track.size
        if self._is_scaled:
            width = max(width, round(width * track.pixel_aspect))
            height = max(height, round(height / track.pixel_aspect))
            self.pixel_aspect = Fraction(1)
        if encoder.needs_even:
            form = VideoFormat(self.pixel_format, width, height)
            width += width % 2 if form.chroma_width() < width else 0
            height += height % 2 if form.chroma_height() < height else 0
        self.size = width, height
        self.is_padded = not self._is_scaled and self.size != track.size
        self.color = track.color
        was_rgb = track.pixel_format.startswith("gbr")
        self._becomes_yuv = was_rgb and not self.pixel_format.startswith("gbr")
        if self._becomes_yuv:
            matrix = _BT709 if track.size[1] >= _HD_LINES else _BT601
            self.color = replace(self.color, matrix=matrix, range=ColorRange.MPEG)
        elif track.pixel_format.startswith("yuvj"):
            self.color = replace(self.color, range=ColorRange.JPEG)
        self._reformatter = VideoReformatter()

    def fitted(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture itself where it fits already."""
        if self.is_padded:
            picture = _padded(picture, self.size)
        form = picture.width, picture.height, picture.format.name
        if form == (*self.size, self.pixel_format):
            return picture
        is_full = pixel_formats.layout(picture).full_range
        same_range = ColorRange.JPEG if is_full else ColorRange.MPEG
        return reformatted(
            self._reformatter,
            picture,
            self.size,
            self.pixel_format,
            src_color_range=same_range,
            dst_color_range=ColorRange.MPEG if self._becomes_yuv else same_range,
            dst_colorspace=_SWSCALE_MATRIX[self.color.matrix] if self._becomes_yuv else None,
            interpolation=Interpolation.BICUBIC,
        )


def _padded(picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Return the picture with its last row or column repeated."""
    padded = av.VideoFrame(*size, picture.format.name)
    sources, targets = pixel_formats.planes(picture), pixel_formats.planes(padded)
    for source, target in zip(sources, targets, strict=True):
        rows = target.samples.shape[0] - source.samples.shape[0]
        columns = target.samples.shape[1] - source.samples.shape[1]
        target.samples[...] = np.pad(source.samples, ((0, rows), (0, columns)), mode="edge")
    padded.pts, padded.time_base = picture.pts, picture.time_base
    padded.duration = picture.duration
    padded.colorspace, padded.color_range = picture.colorspace, picture.color_range
    padded.color_primaries, padded.color_trc = picture.color_primaries, picture.color_trc
    return padded


_PARAMETERS = {
    "libx264": "x264-params",
    "libx265": "x265-params",
    "libsvtav1": "svtav1-params",
}
_INTERLACING = {"libx264", "mpeg2video", "mpeg4", "prores_ks"}
_COUNTED_RATE_LIMIT = 65_535  # MPEG-4 part 2 counts in 16 bits
_X265_REORDERED = 2  # pictures by which x265 delays those that refer to later ones


class FrameEncoder:
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
        self._fit = FrameConformer(track, encoder)
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
