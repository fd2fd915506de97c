"""FrameEncoder: encodes the redacted frames into a new video track."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np
from av.codec.context import Flags, ThreadType
from av.video.format import VideoFormat
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from tracker_blur.video import alpha, pixel_formats
from tracker_blur.video.encoder_settings import Encoder, pixel_format
from tracker_blur.video.stream_info import square_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from tracker_blur.settings import Settings
    from tracker_blur.video.stream_info import Mastering, VideoTrack

_INTERLACING = {"libx264", "mpeg2video", "mpeg4", "prores_ks"}
_COUNTED_RATE_LIMIT = 65_535  # MPEG-4 part 2 counts in 16 bits
_AVX_512F = 13  # OpenCV's CV_CPU_AVX_512F
_REPRODUCIBLE_THREADS = 2  # what some encoders write depends on their number
_X265_REORDERED = 2  # frames by which x265 delays those that refer to later ones
_MATRIX_TAGS = {"bt709": 1, "bt601": 6}  # ITU-T H.273, table 4
_CHROMATICITY_UNIT = Fraction(1, 50_000)  # ITU-T H.265, D.3.28
_LUMINANCE_UNIT = Fraction(1, 10_000)
_THREADS = Path("/proc/self/task")  # Linux only; elsewhere SVT-AV1 leaves priorities alone


class FrameEncoder:
    """A new video track with the appearance and timing of the one it replaces.

    Args:
        output: The file that it is a part of.
        track: The one that it replaces.
        encoder: What encodes it.
        settings: Quality and preset.
        reproducible: Whether the same frames are to become the same bytes, here and elsewhere.

    Attributes:
        stream: The track in the output.

    Raises:
        SettingsError: The encoder does not have a setting.
        SinkError: The same, if the encoder was chosen here.
        av.FFmpegError: The encoder cannot be opened.
        ValueError: The same.
    """

    def __init__(
        self,
        output: OutputContainer,
        track: VideoTrack,
        encoder: Encoder,
        settings: Settings,
        *,
        reproducible: bool = False,
    ) -> None:
        self._track = track
        self._start = round(track.clock_start / track.time_base)
        self._conformer = FrameConformer(track, encoder)
        self._times: deque[tuple[int, int]] | None = deque() if encoder.counts_frames else None
        self._count = 0
        self._encoder_name = encoder.name
        self.stream = cast(
            "VideoStream",
            output.add_stream(
                encoder.name,
                rate=_rate(track, encoder),
                options=_options(track, encoder, settings, reproducible=reproducible),
            ),
        )
        # In one pass, every frame waits for detection, which needs a core, and each thread of x264
        # holds frames of its own. Threads on slices alone would cost it speed and size.
        cores = os.cpu_count() or 1
        usual = max(1, cores - 1) if settings.one_pass else cores
        self._configure(encoder, _REPRODUCIBLE_THREADS if reproducible else usual)

    @property
    def has_flattened(self) -> bool:
        """Whether a frame so far was transparent somewhere, and is written on black."""
        return self._conformer.has_flattened

    def encode(self, frame: av.VideoFrame) -> list[Packet[VideoStream]]:
        """Encode one frame, and return the packets that are ready."""
        conformed = self._conformer.conform(frame)
        conformed.pts = (frame.pts or 0) - self._start
        conformed.time_base = self._track.time_base
        conformed.pict_type = 0  # the encoder decides, not the input
        if self._times is not None:
            self._times.append((conformed.pts, conformed.duration))
            conformed.pts = self._count
            conformed.time_base = self.stream.codec_context.time_base
        self._count += 1
        return self._timed(self.stream.encode(conformed))

    def finish(self) -> list[Packet[VideoStream]]:
        """Return the packets that the encoder still held back."""
        packets = self._timed(self.stream.encode(None))
        if self._encoder_name == "libx265" and self._count <= _X265_REORDERED:
            # x265 reads its delay off the third frame. Without one, its decoding times are
            # uninitialized memory, but the frames come in order.
            for packet in packets:
                packet.dts = packet.pts
        return packets

    def _configure(self, encoder: Encoder, threads: int) -> None:
        track, context = self._track, self.stream.codec_context
        context.width, context.height = self._conformer.size
        context.pix_fmt = self._conformer.pixel_format
        context.sample_aspect_ratio = self._conformer.pixel_aspect
        context.thread_count = threads
        context.thread_type = ThreadType.AUTO
        context.flags |= Flags.frame_duration
        context.time_base = 1 / context.rate if encoder.counts_frames else track.time_base
        if track.is_interlaced and encoder.name in _INTERLACING and track.size[1] % 4 == 0:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        color = self._conformer.color
        context.color_primaries, context.color_trc = color.primaries, color.transfer
        context.colorspace, context.color_range = color.matrix, color.range
        self.stream.time_base = track.time_base
        self.stream.set_display_matrix(track.matrix)
        if encoder.keeps_alpha and encoder.codec in ("vp8", "vp9"):
            self.stream.metadata["alpha_mode"] = "1"  # or players ignore it
        if encoder.codec == "hevc":
            self.stream.codec_tag = "hvc1"  # Apple's players need it
        if encoder.name == "libsvtav1":
            os.environ.setdefault("SVT_LOG", "1")  # only errors go to the standard error

    def _timed(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        """Give packets their frames' times, if the encoder only counts frames."""
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


class FrameConformer:
    """Brings frames into the pixel format and size that an encoder takes; most already are.

    Attributes:
        pixel_format: FFmpeg's name.
        size: (width, height) in pixels.
        pixel_aspect: Width of a pixel over its height.
        color: How the samples are to be shown.
        is_padded: Whether the last column or row is repeated, because sides must be even.
        has_flattened: Whether a frame so far was transparent somewhere, and is written on black.
    """

    def __init__(self, track: VideoTrack, encoder: Encoder) -> None:
        self.pixel_format = pixel_format(encoder, track)
        self.pixel_aspect = track.pixel_aspect
        is_scaled = track.pixel_aspect != 1 and not encoder.stores_aspect
        width, height = track.size
        if is_scaled:
            width, height = square_size(track.size, track.pixel_aspect)
            self.pixel_aspect = Fraction(1)
        if encoder.needs_even:
            form = VideoFormat(self.pixel_format, width, height)
            width += width % 2 if form.chroma_width() < width else 0
            height += height % 2 if form.chroma_height() < height else 0
        self.size = width, height
        self.is_padded = not is_scaled and self.size != track.size
        self.has_flattened = False
        self._flattens = pixel_formats.has_alpha(track.pixel_format) and not encoder.keeps_alpha
        self.color = track.color
        was_rgb = track.pixel_format.startswith("gbr")
        self._becomes_yuv = was_rgb and not VideoFormat(self.pixel_format).is_rgb
        self._yuv_matrix = pixel_formats.untagged_matrix(track.size[1])
        if self._becomes_yuv:
            tag = _MATRIX_TAGS[self._yuv_matrix]
            self.color = replace(self.color, matrix=tag, range=ColorRange.MPEG)
        elif track.pixel_format.startswith("yuvj"):
            self.color = replace(self.color, range=ColorRange.JPEG)
        self._reformatter = VideoReformatter()

    def conform(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the frame as the encoder takes it: the same object, if it already is."""
        if self._flattens:
            self.has_flattened |= alpha.flatten(frame)
        if self.is_padded:
            frame = _padded(frame, self.size)
        form = frame.width, frame.height, frame.format.name
        if form == (*self.size, self.pixel_format):
            return frame
        is_full = pixel_formats.layout(frame).full_range
        same_range = ColorRange.JPEG if is_full else ColorRange.MPEG
        return pixel_formats.reformat(
            self._reformatter,
            frame,
            self.size,
            self.pixel_format,
            src_color_range=same_range,
            dst_color_range=ColorRange.MPEG if self._becomes_yuv else same_range,
            dst_colorspace=(
                pixel_formats.SWSCALE_MATRIX[self._yuv_matrix] if self._becomes_yuv else None
            ),
            interpolation=Interpolation.BICUBIC,
        )


def _padded(frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Return the frame with its last row or column repeated."""
    padded = av.VideoFrame(*size, frame.format.name)
    sources, targets = pixel_formats.planes(frame), pixel_formats.planes(padded)
    for source, target in zip(sources, targets, strict=True):
        rows = target.samples.shape[0] - source.samples.shape[0]
        columns = target.samples.shape[1] - source.samples.shape[1]
        target.samples[...] = np.pad(source.samples, ((0, rows), (0, columns)), mode="edge")
    padded.pts, padded.time_base = frame.pts, frame.time_base
    padded.duration = frame.duration
    padded.colorspace, padded.color_range = frame.colorspace, frame.color_range
    padded.color_primaries, padded.color_trc = frame.color_primaries, frame.color_trc
    return padded


def _options(
    track: VideoTrack, encoder: Encoder, settings: Settings, *, reproducible: bool
) -> dict[str, str]:
    options = encoder.options_for(settings)
    if encoder.name == "libx264":
        parameters = _hdr_parameters(track, "mastering-display", "cll", _integers)
        # Its thread for looking ahead holds frames, and fills cores that detection fills anyway.
        parameters.append("sync-lookahead=0")
        if cv2.checkHardwareSupport(_AVX_512F):
            # With AVX-512, what it writes depends on what memory beyond a frame holds (core 165).
            parameters.append("asm=AVX2")
        if reproducible:
            parameters.append("weightp=0")
        name = "x264-params"
    elif encoder.name == "libx265":
        parameters = _hdr_parameters(track, "master-display", "max-cll", _integers)
        parameters.append("log-level=none")  # or it prints to the terminal
        name = "x265-params"
    elif encoder.name == "libsvtav1":
        parameters = _hdr_parameters(track, "mastering-display", "content-light", _decimals)
        name = "svtav1-params"
    else:  # no other encoder writes HDR metadata
        return options
    if parameters:
        options[name] = ":".join(parameters)
    return options


def _hdr_parameters(
    track: VideoTrack,
    mastering_name: str,
    light_name: str,
    as_text: Callable[[Mastering], str],
) -> list[str]:
    """Return the HDR metadata of a track as parameters of an encoder."""
    parameters = []
    if track.mastering is not None:
        parameters.append(f"{mastering_name}={as_text(track.mastering)}")
    if track.light is not None:
        parameters.append(f"{light_name}={track.light.max_content},{track.light.max_frame_average}")
    return parameters


def _integers(mastering: Mastering) -> str:
    """Return the display's volume in the units of SMPTE ST 2086."""
    primaries = [
        f"({round(x / _CHROMATICITY_UNIT)},{round(y / _CHROMATICITY_UNIT)})"
        for x, y in mastering.primaries
    ]
    low, high = (round(value / _LUMINANCE_UNIT) for value in mastering.luminance)
    return _volume(primaries, f"({high},{low})")


def _decimals(mastering: Mastering) -> str:
    primaries = [f"({float(x):.5f},{float(y):.5f})" for x, y in mastering.primaries]
    low, high = (float(value) for value in mastering.luminance)
    return _volume(primaries, f"({high:.4f},{low:.4f})")


def _volume(primaries: list[str], luminance: str) -> str:
    red, green, blue, white = primaries
    return f"G{green}B{blue}R{red}WP{white}L{luminance}"


@contextmanager
def normal_priority() -> Iterator[None]:
    """Take back the real-time priority that SVT-AV1 takes when it runs as root.

    It takes it for its own threads and for the one that opens it, and then starves everything else
    on the machine, including the other stages of this program.
    """
    before = _realtime_threads()
    try:
        yield
    finally:
        for thread in _realtime_threads() - before:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _realtime_threads() -> set[int]:
    threads: set[int] = set()
    if sys.platform == "linux":
        for path in _THREADS.iterdir():
            with suppress(ProcessLookupError):
                number = int(path.name)
                if os.sched_getscheduler(number) in (os.SCHED_FIFO, os.SCHED_RR):
                    threads.add(number)
    return threads
