"""Encodes video and audio, as they arrive, into one container.

The presets are measured; docs/media.md holds the table.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import av
import numpy as np
import numpy.typing as npt

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import NO_SPACE
from tracker_blur.realtime.delivery import AUDIO_CHANNELS, AUDIO_RATE, AudioChunk, Delivery, Format
from tracker_blur.realtime.forwarding import AT_ONCE
from tracker_blur.realtime.targets import copy_frame, redacted_frame
from tracker_blur.video.encoder import FrameEncoder, normal_priority
from tracker_blur.video.encoder_settings import Encoder, choose_encoder
from tracker_blur.video.stream_info import VideoTrack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

    from tracker_blur.settings import Settings
    from tracker_blur.video.containers import ContainerFormat

_TICKS_PER_SECOND = 90_000  # MPEG-TS has no finer time base
_TIME_BASE = Fraction(1, _TICKS_PER_SECOND)
_KEY_FRAME_SECONDS = 2
_MAX_BITS_PER_PIXEL = 0.2
_LOW_LATENCY_OPTIONS = {  # by the encoder's name, or its last part
    "libx264": {"tune": "zerolatency"},
    "libx265": {"tune": "zerolatency"},
    "libvpx-vp9": {"lag-in-frames": "0"},
    "libvpx": {"lag-in-frames": "0"},
    "nvenc": {"tune": "ull", "delay": "0"},
    "qsv": {"async_depth": "1"},
    "amf": {"usage": "ultralowlatency"},
    "videotoolbox": {"realtime": "1"},
}
_LIVE_DEFAULTS = {  # quality and preset
    "libx264": (23, "superfast"),
    "libvpx-vp9": (32, "8"),
}

_AUDIO_BITS_PER_SECOND = 128_000
_JITTER_SAMPLES = AUDIO_RATE // 50  # chunks whose times differ by less follow without a gap
_MAX_LAG_SAMPLES = AUDIO_RATE  # audio that is later than this relative to video becomes silence


@dataclass(frozen=True, slots=True)
class LiveContainer:
    """A container format that can be written progressively, and the codec of its audio."""

    format: ContainerFormat
    audio_codec: str = "aac"


def check_encoder(container: LiveContainer, settings: Settings) -> None:
    """Check, before the source is opened, that the settings name an encoder for this container.

    Raises:
        SettingsError: An encoder setting makes no sense.
        SinkError: The encoder cannot be used with the container.
    """
    size = 64, 64
    track = _video_track(Format(size, Fraction(30)))
    choose_encoder(settings, track, container.format).options_for(settings)


def try_encoder(container: LiveContainer, format: Format, settings: Settings) -> None:
    """Check, before the first frame, that the encoder works on this machine at this size and rate.

    Raises:
        SinkError: It does not.
    """
    track = _video_track(format)
    encoder = _live_encoder(choose_encoder(settings, track, container.format), format, settings)
    with av.open(io.BytesIO(), "w", format="matroska") as scratch:
        _open_encoder(FrameEncoder(scratch, track, encoder, settings), encoder)


@contextmanager
def as_sink_errors(name: str) -> Iterator[None]:
    """Turn write errors into SinkError with one clear line."""
    try:
        yield
    except TrackerBlurError as error:
        raise SinkError.about(name, error) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) in NO_SPACE:
            advice = "no space left: free some, or choose another folder"
        else:
            advice = f"cannot be written ({reason_of(error)}): choose another target"
        raise SinkError(f"{name}: {advice}") from error


class LiveWriter:
    """Writes one container, which begins with the first frame; its times count from that frame.

    Its methods raise SinkError when an encoder fails or cannot be used with the container, and
    av.FFmpegError, OSError or ValueError when the output cannot be written.

    Args:
        file: Something to write bytes to, or a name that FFmpeg opens itself.
        container: What is written.
        format: Of the session's frames and audio.
        settings: Of the encoder.

    Attributes:
        start: Time of the first frame in seconds on the session's clock; None before it.
    """

    def __init__(
        self, file: BinaryIO | str, container: LiveContainer, format: Format, settings: Settings
    ) -> None:
        self.start: float | None = None
        self._file = file
        self._container = container
        self._format = format
        self._settings = settings
        self._last_pts = -1
        self._output: OutputContainer | None = None
        self._video: FrameEncoder | None = None
        self._audio: AudioEncoder | None = None

    def show(self, delivery: Delivery) -> None:
        """Encode and write a frame, unless its time is not after the last one's."""
        frame = copy_frame(redacted_frame(delivery).av_frame)
        if self.start is None:
            self._begin(delivery.seconds)
        assert self.start is not None
        assert self._video is not None
        pts = round((delivery.seconds - self.start) * _TICKS_PER_SECOND)
        if pts <= self._last_pts:
            return
        self._last_pts = pts
        frame.pts, frame.time_base = pts, _TIME_BASE
        frame.duration = round(_TICKS_PER_SECOND / self._format.rate)
        self._mux(self._video.encode(frame))
        if self._audio is not None:
            self._mux(self._audio.fill_until(delivery.seconds))

    def play(self, audio: AudioChunk) -> None:
        """Encode and write a chunk of audio; what lies before the first frame is dropped."""
        if self._audio is not None:
            self._mux(self._audio.encode(audio))

    def finish(self) -> None:
        """Flush the encoders and close the container."""
        if self._output is None:
            return
        try:
            if self._video is not None:
                self._mux(self._video.finish())
            if self._audio is not None:
                self._mux(self._audio.finish())
        finally:
            self._output.close()

    def _begin(self, seconds: float) -> None:
        track = _video_track(self._format)
        chosen = choose_encoder(self._settings, track, self._container.format)
        encoder = _live_encoder(chosen, self._format, self._settings)
        self._output = av.open(
            self._file,
            "w",
            format=self._container.format.muxer,
            container_options={**AT_ONCE, **self._container.format.options},
        )
        self._video = FrameEncoder(self._output, track, encoder, self._settings)
        _open_encoder(self._video, encoder)
        if self._format.audio_rate is not None:
            self._audio = AudioEncoder(self._output, self._container.audio_codec, seconds)
        self._output.start_encoding()
        self.start = seconds

    def _mux(self, packets: Sequence[Packet[Any]]) -> None:
        assert self._output is not None
        self._output.mux(packets)


def _live_encoder(encoder: Encoder, format: Format, settings: Settings) -> Encoder:
    """Return the encoder with options that make it emit each frame at once."""
    name = encoder.name
    options = dict(
        _LOW_LATENCY_OPTIONS.get(name) or _LOW_LATENCY_OPTIONS.get(name.rpartition("_")[2], {})
    )
    quality, preset = _LIVE_DEFAULTS.get(name, (encoder.quality, encoder.preset))
    options["g"] = str(max(1, round(_KEY_FRAME_SECONDS * format.rate)))
    if name == "libx264" and settings.quality is None:
        width, height = format.size
        max_rate = round(width * height * format.rate * _MAX_BITS_PER_PIXEL)
        options |= {"maxrate": str(max_rate), "bufsize": str(max_rate)}
    return replace(encoder, quality=quality, preset=preset, options={**encoder.options, **options})


def _open_encoder(video: FrameEncoder, encoder: Encoder) -> None:
    try:
        with normal_priority():
            video.stream.codec_context.open()
    except av.FFmpegError as error:
        raise SinkError(
            f"encoder {encoder.name} does not work here ({reason_of(error)}): choose another"
        ) from error


def _video_track(format: Format) -> VideoTrack:
    return VideoTrack(
        index=0,
        codec="h264",
        pixel_format="yuv420p",
        size=format.size,
        pixel_aspect=Fraction(1),
        rate=format.rate,
        time_base=_TIME_BASE,
        clock_start=Fraction(0),
        color=format.color,
        matrix=None,
        mastering=None,
        light=None,
        is_interlaced=False,
    )


class AudioEncoder:
    """Encodes an audio stream without gaps: it fills them with silence and drops overlaps.

    Args:
        output: The container that the stream is added to.
        codec: FFmpeg's name of the encoder.
        start: Seconds on the session's clock at which the output begins.

    Attributes:
        stream: The stream in the output.

    Raises:
        av.FFmpegError: The encoder cannot be opened; some encoders raise ValueError.
    """

    def __init__(self, output: OutputContainer, codec: str, start: float) -> None:
        self.stream = cast(
            "AudioStream", output.add_stream(codec, rate=AUDIO_RATE, layout="stereo")
        )
        self.stream.codec_context.bit_rate = _AUDIO_BITS_PER_SECOND
        self.stream.time_base = Fraction(1, AUDIO_RATE)
        self.stream.codec_context.open()
        self._frame_samples = self.stream.codec_context.frame_size or AUDIO_RATE // 50
        self._start = start
        self._pending = np.zeros((AUDIO_CHANNELS, 0), np.float32)
        self._encoded_samples = 0

    def encode(self, audio: AudioChunk) -> list[Packet[AudioStream]]:
        """Take the next chunk; return the packets that are ready."""
        samples, position = audio.samples, self._position(audio.seconds)
        if position < 0:
            samples, position = samples[:, -position:], 0
        gap = position - self._end
        if gap < -_JITTER_SAMPLES:
            samples = samples[:, -gap:]
        return self._append([*([_silence(gap)] if gap > _JITTER_SAMPLES else []), samples])

    def fill_until(self, seconds: float) -> list[Packet[AudioStream]]:
        """Fill up with silence if audio lags far behind a frame of this time."""
        gap = self._position(seconds) - _MAX_LAG_SAMPLES - self._end
        return self._append([_silence(gap)]) if gap > 0 else []

    def finish(self) -> list[Packet[AudioStream]]:
        """Return the remaining packets."""
        packets = []
        if self._pending.shape[1]:
            packets += self._append([_silence(self._frame_samples - self._pending.shape[1])])
        return packets + self.stream.encode(None)

    @property
    def _end(self) -> int:
        return self._encoded_samples + self._pending.shape[1]

    def _position(self, seconds: float) -> int:
        return round((seconds - self._start) * AUDIO_RATE)

    def _append(self, parts: list[npt.NDArray[np.float32]]) -> list[Packet[AudioStream]]:
        pending = np.concatenate([self._pending, *parts], axis=1)
        packets: list[Packet[AudioStream]] = []
        for begin in range(0, pending.shape[1] - self._frame_samples + 1, self._frame_samples):
            frame = self._frame(pending[:, begin : begin + self._frame_samples])
            # Encoders put some silence before the first sample. Containers without negative
            # times would delay the video for it, or fail.
            packets += [packet for packet in self.stream.encode(frame) if (packet.pts or 0) >= 0]
            self._encoded_samples += self._frame_samples
        complete = pending.shape[1] // self._frame_samples * self._frame_samples
        self._pending = pending[:, complete:]
        return packets

    def _frame(self, samples: npt.NDArray[np.float32]) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", "stereo")
        frame.sample_rate = AUDIO_RATE
        frame.pts, frame.time_base = self._encoded_samples, Fraction(1, AUDIO_RATE)
        return frame


def _silence(samples: int) -> npt.NDArray[np.float32]:
    return np.zeros((AUDIO_CHANNELS, samples), np.float32)
