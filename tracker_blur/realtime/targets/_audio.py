"""Encodes sound as it comes into a track without gaps."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from tracker_blur.realtime.delivery import SOUND_CHANNELS, SOUND_RATE, Sound

_BITS_A_SECOND = 128_000
_JITTER = SOUND_RATE // 50  # samples; times that waver by less are taken as following each other
_PATIENCE = SOUND_RATE  # samples by which sound may come later than the pictures


class SoundEncoder:
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

    def encode(self, sound: Sound) -> list[Packet[AudioStream]]:
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
