"""Encodes sound as it comes into a track without gaps.

Encodes pictures and sound, as they come, into one container.

Presets are measured: docs/media.md holds the table.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, BinaryIO, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import NO_SPACE
from tracker_blur.realtime.delivery import SOUND_CHANNELS, SOUND_RATE, AudioChunk, Delivery, Format
from tracker_blur.realtime.forwarding import AT_ONCE
from tracker_blur.realtime.targets import copy_of, frame_of
from tracker_blur.settings import Settings
from tracker_blur.video.containers import ContainerFormat
from tracker_blur.video.encoder import FrameEncoder, kept_priority
from tracker_blur.video.encoder_settings import Encoder, choose
from tracker_blur.video.stream_info import ColorTags, VideoTrack

_BITS_A_SECOND = 128_000
_JITTER = SOUND_RATE // 50  # samples; times that waver by less are taken as following each other
_PATIENCE = SOUND_RATE  # samples by which sound may come later than the pictures


class AudioEncoder:
    """A track of sound in an output; what is missing becomes silence, what overlaps is left out.

    start   seconds on the session's clock at which the output begins
    stream  the track in the output

    Raises av.FFmpegError or ValueError when it cannot be opened.
    """

    def __init__(self, output: OutputContainer, codec: str, start: float) -> None:
        self.stream = cast(AudioStream, output.add_stream(codec, rate=SOUND_RATE, layout="stereo"))
        self.stream.codec_context.bit_rate = _BITS_A_SECOND
        self.stream.time_base = Fraction(1, SOUND_RATE)
        self.stream.codec_context.open()
        self._length = self.stream.codec_context.frame_size or SOUND_RATE // 50
        self._start = start
        self._waiting = np.zeros((SOUND_CHANNELS, 0), np.float32)
        self._encoded = 0

    def encode(self, sound: AudioChunk) -> list[Packet[AudioStream]]:
        """Take the next stretch; returns what is ready to be written."""
        samples, position = sound.samples, self._position(sound.seconds)
        if position < 0:
            samples, position = samples[:, -position:], 0
        gap = position - self._end
        if gap < -_JITTER:
            samples = samples[:, -gap:]
        return self._taken([*([_silence(gap)] if gap > _JITTER else []), samples])

    def keep_up(self, seconds: float) -> list[Packet[AudioStream]]:
        """Fill up with silence, if sound is far behind a picture of this time."""
        gap = self._position(seconds) - _PATIENCE - self._end
        return self._taken([_silence(gap)]) if gap > 0 else []

    def finish(self) -> list[Packet[AudioStream]]:
        """Return what is left."""
        packets = []
        if self._waiting.shape[1]:
            packets += self._taken([_silence(self._length - self._waiting.shape[1])])
        return packets + self.stream.encode(None)

    @property
    def _end(self) -> int:
        return self._encoded + self._waiting.shape[1]

    def _position(self, seconds: float) -> int:
        return round((seconds - self._start) * SOUND_RATE)

    def _taken(self, stretches: list[npt.NDArray[np.float32]]) -> list[Packet[AudioStream]]:
        waiting = np.concatenate([self._waiting, *stretches], axis=1)
        packets: list[Packet[AudioStream]] = []
        for begin in range(0, waiting.shape[1] - self._length + 1, self._length):
            frame = self._frame(waiting[:, begin : begin + self._length])
            # Encoders begin with some silence before the first sample. Containers that know of no
            # negative times would move the pictures for it, or fail.
            packets += [packet for packet in self.stream.encode(frame) if (packet.pts or 0) >= 0]
            self._encoded += self._length
        whole = waiting.shape[1] // self._length * self._length
        self._waiting = waiting[:, whole:]
        return packets

    def _frame(self, samples: npt.NDArray[np.float32]) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", "stereo")
        frame.sample_rate = SOUND_RATE
        frame.pts, frame.time_base = self._encoded, Fraction(1, SOUND_RATE)
        return frame


def _silence(length: int) -> npt.NDArray[np.float32]:
    return np.zeros((SOUND_CHANNELS, length), np.float32)


_TICKS = 90_000  # a second; MPEG-TS knows no finer
_KEY_SECONDS = 2
_MOST_BITS_A_PIXEL = 0.2
_LOW_LATENCY = {  # by the encoder's name, or its last part
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


@dataclass(frozen=True, slots=True)
class Form:
    """A container that can be written as it goes, and the codec of its sound."""

    container: ContainerFormat
    sound: str = "aac"


class LiveWriter:
    """One container under way; it begins with the first picture, and its times count from there.

    file    where it goes: something to write bytes to, or a name that FFmpeg opens itself
    format  of the session's pictures and sound
    start   of the first picture, in seconds on the session's clock; None: there was none yet

    Its methods raise SinkError when an encoder does not fit or work; av.FFmpegError, OSError or
    ValueError when the output cannot be written.
    """

    def __init__(
        self, file: BinaryIO | str, form: Form, format: Format, settings: Settings
    ) -> None:
        self.start: float | None = None
        self._file = file
        self._form = form
        self._format = format
        self._settings = settings
        self._latest = -1
        self._output: OutputContainer | None = None
        self._pictures: FrameEncoder | None = None
        self._sound: AudioEncoder | None = None

    def show(self, delivery: Delivery) -> None:
        """Encode and write a picture, unless one of this very time was written before."""
        picture = copy_of(frame_of(delivery).picture)
        if self.start is None:
            self._begin(picture, delivery.seconds)
        assert self.start is not None
        assert self._pictures is not None
        ticks = round((delivery.seconds - self.start) * _TICKS)
        if ticks <= self._latest:
            return
        self._latest = ticks
        picture.pts, picture.time_base = ticks, Fraction(1, _TICKS)
        picture.duration = round(_TICKS / self._format.rate)
        self._mux(self._pictures.encode(picture))
        if self._sound is not None:
            self._mux(self._sound.keep_up(delivery.seconds))

    def play(self, sound: AudioChunk) -> None:
        """Encode and write a stretch of sound; what lies before the first picture is left out."""
        if self._sound is not None:
            self._mux(self._sound.encode(sound))

    def finish(self) -> None:
        """Write what is left."""
        if self._output is None:
            return
        try:
            if self._pictures is not None:
                self._mux(self._pictures.finish())
            if self._sound is not None:
                self._mux(self._sound.finish())
        finally:
            self._output.close()

    def _begin(self, picture: av.VideoFrame, seconds: float) -> None:
        track = _track(self._format, picture)
        encoder = _live(
            choose(self._settings, track, self._form.container), self._format, self._settings
        )
        self._output = av.open(
            self._file,
            "w",
            format=self._form.container.muxer,
            container_options={**AT_ONCE, **self._form.container.options},
        )
        self._pictures = FrameEncoder(self._output, track, encoder, self._settings)
        _open(self._pictures, encoder)
        if self._format.sound_rate is not None:
            self._sound = AudioEncoder(self._output, self._form.sound, seconds)
        self._output.start_encoding()
        self.start = seconds

    def _mux(self, packets: Sequence[Packet[Any]]) -> None:
        assert self._output is not None
        self._output.mux(packets)


def check(form: Form, settings: Settings) -> None:
    """Find out before the first picture whether the settings name an encoder for this container.

    Raises SettingsError or SinkError when they do not.
    """
    size = 64, 64
    track = _track(Format(size, Fraction(30)), av.VideoFrame(*size, "yuv420p"))
    choose(settings, track, form.container).configured(settings)


def prove(form: Form, format: Format, settings: Settings) -> None:
    """Find out before the first picture whether the encoder works here, at this size and rate.

    Raises SinkError when it does not.
    """
    track = _track(format, av.VideoFrame(*format.size, "yuv420p"))
    encoder = _live(choose(settings, track, form.container), format, settings)
    with av.open(io.BytesIO(), "w", format="matroska") as nowhere:
        _open(FrameEncoder(nowhere, track, encoder, settings), encoder)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what goes wrong while writing into one clear line."""
    try:
        yield
    except TrackerBlurError as error:
        raise SinkError(f"{name}: {error}") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) in NO_SPACE:
            advice = "no space left: free some, or choose another folder"
        else:
            advice = f"cannot be written ({reason_of(error)}): choose another target"
        raise SinkError(f"{name}: {advice}") from error


def _live(encoder: Encoder, format: Format, settings: Settings) -> Encoder:
    """Return the encoder with what makes it give each picture at once."""
    name = encoder.name
    options = dict(_LOW_LATENCY.get(name) or _LOW_LATENCY.get(name.rpartition("_")[2], {}))
    quality, preset = _LIVE_DEFAULTS.get(name, (encoder.quality, encoder.preset))
    options["g"] = str(max(1, round(_KEY_SECONDS * format.rate)))
    if name == "libx264" and settings.quality is None:
        width, height = format.size
        most = round(width * height * format.rate * _MOST_BITS_A_PIXEL)
        options |= {"maxrate": str(most), "bufsize": str(most)}
    return replace(encoder, quality=quality, preset=preset, options={**encoder.options, **options})


def _open(pictures: FrameEncoder, encoder: Encoder) -> None:
    try:
        with kept_priority():
            pictures.stream.codec_context.open()
    except av.FFmpegError as error:
        raise SinkError(
            f"encoder {encoder.name} does not work here ({reason_of(error)}): choose another"
        ) from error


def _track(format: Format, picture: av.VideoFrame) -> VideoTrack:
    return VideoTrack(
        index=0,
        codec="h264",
        pixel_format="yuv420p",
        size=format.size,
        pixel_aspect=Fraction(1),
        rate=format.rate,
        time_base=Fraction(1, _TICKS),
        clock_start=Fraction(0),
        color=ColorTags(
            picture.color_primaries, picture.color_trc, picture.colorspace, picture.color_range
        ),
        matrix=None,
        mastering=None,
        light=None,
        is_interlaced=False,
    )
