"""Gives what comes faster than it is to be shown, each at its time.

Decodes what comes in a container, with no more delay than decoding takes.

What all sources do alike whose pictures and sound come in a container.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.context import Flags, ThreadType
from av.container import InputContainer
from av.video.stream import VideoStream

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.realtime.delivery import SOUND_RATE
from tracker_blur.realtime.sources import CapturedAudio, CapturedFrame, Item
from tracker_blur.video.reader import STILL_PICTURES

_LONGEST_WAIT_SECONDS = 10.0  # a stamp that lies further ahead is a mistake
_LATEST_SECONDS = 1.0  # what is later than that was held up, and is not caught up with


def paced(items: Iterable[Item], stopping: threading.Event) -> Iterator[Item]:
    """Give items when they are due by their stamps, until `stopping` is set.

    What is late is given at once, and what follows it at its own time: small delays must not add
    up. After a long one the pictures that follow keep their distance to the late one; sound that is
    late lies behind its pictures in the file, and changes nothing.
    """
    start: float | None = None
    for item in items:
        now = time.monotonic()
        if item.stamp is not None:
            wait = 0.0 if start is None else start + item.stamp - now
            is_late_sound = wait < 0 and isinstance(item, CapturedAudio)
            is_fair = -_LATEST_SECONDS <= wait < _LONGEST_WAIT_SECONDS
            if start is None or not (is_fair or is_late_sound):
                start, wait = now - item.stamp, 0.0
            if stopping.wait(max(0.0, wait)):
                return
        yield item


_LOWEST_RATE, _HIGHEST_RATE = 1, 240  # what lies outside is a clock's, not a rate of frames
_MOST_BROKEN_PACKETS = 500  # in a row: this is another stream than the one that began


class Streams:
    """The first picture track and the first sound track of a container.

    rate       frames per second; None: not known
    has_sound  whether there is sound that can be decoded

    Raises SourceError when it holds no pictures.
    """

    def __init__(self, container: InputContainer, name: str) -> None:
        self._container = container
        self._name = name
        video = [
            stream
            for stream in container.streams.video
            if not stream.disposition & STILL_PICTURES and stream.codec_context is not None
        ]
        if not video:
            raise SourceError(f"{name}: sends no pictures that can be decoded: name another source")
        self._video = video[0]
        # Several threads would each hold back a frame.
        self._video.thread_type = ThreadType.SLICE
        self._video.codec_context.flags |= Flags.low_delay
        sounds = [stream for stream in container.streams.audio if stream.codec_context is not None]
        self._audio: AudioStream | None = sounds[0] if sounds else None
        self.has_sound = bool(sounds)
        self.rate = _rate(self._video)
        self._resampler = AudioResampler("fltp", "stereo", SOUND_RATE)

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes; broken packets are skipped.

        Raises SourceError when reading fails or nothing can be decoded any more.
        """
        tracks = [stream for stream in (self._video, self._audio) if stream is not None]
        packets = self._container.demux(*tracks)
        broken = 0
        while not stopping.is_set() and broken < _MOST_BROKEN_PACKETS:
            try:
                packet = next(packets, None)
            except av.InvalidDataError:
                broken += 1
                packets = self._container.demux(*tracks)  # what has raised gives nothing more
                continue
            except (av.FFmpegError, OSError) as error:
                if isinstance(error, av.EOFError):
                    return
                if isinstance(error, av.ExitError):  # the container's time-out
                    raise SourceError(f"{self._name}: gives nothing any more") from error
                raise SourceError(f"{self._name}: breaks off ({reason_of(error)})") from error
            if packet is None:
                return
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                broken += 1
                continue
            broken = 0 if frames else broken
            for frame in frames:
                if isinstance(frame, av.VideoFrame):
                    if not frame.is_corrupt:
                        yield CapturedFrame(frame, frame.time)
                elif isinstance(frame, av.AudioFrame):
                    yield from self._heard(frame)
        if broken:
            raise SourceError(f"{self._name}: sends nothing that can be decoded")

    def _heard(self, frame: av.AudioFrame) -> Iterator[CapturedAudio]:
        stamp = frame.time
        frame.pts = None  # the resampler would refuse a clock that jumps
        with suppress(av.FFmpegError, ValueError):
            for part in self._resampler.resample(frame):
                yield CapturedAudio(part.to_ndarray().astype(np.float32, copy=False), stamp)
                stamp = None if stamp is None else stamp + part.samples / SOUND_RATE


def _rate(stream: VideoStream) -> Fraction | None:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and _LOWEST_RATE <= rate <= _HIGHEST_RATE:
            return rate
    return None


class Contained(ABC):
    """A source that is opened by PyAV; see `Source`.

    name  as the user wrote it, without secrets
    """

    ends = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.rate: Fraction | None = None
        self.has_sound = False
        self._container: InputContainer | None = None
        self._streams: Streams | None = None

    def open(self) -> None:
        """Open it; raises SourceError when that fails, or it holds no pictures."""
        try:
            self._container = self._opened()
            self._streams = Streams(self._container, self.name)
        except SourceError:
            self.close()
            raise
        except (av.FFmpegError, OSError, ValueError) as error:
            explanation = self._explained(error)
            self.close()
            raise SourceError(explanation) from error
        self.rate, self.has_sound = self._streams.rate, self._streams.has_sound

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes."""
        assert self._streams is not None
        yield from self._streams.read(stopping)

    def close(self) -> None:
        """Let go of it."""
        container, self._container, self._streams = self._container, None, None
        if container is not None:
            container.close()

    def abort(self) -> None:  # noqa: B027  # for most there is nothing to do
        """Leave a wait to its own time-out: FFmpeg offers no other end."""

    @abstractmethod
    def _opened(self) -> InputContainer:
        """Return its container."""

    @abstractmethod
    def _explained(self, error: Exception) -> str:
        """Return one line on why it cannot be opened."""
