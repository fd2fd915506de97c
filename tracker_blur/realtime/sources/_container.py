"""What all sources share whose frames and audio come in a container that PyAV opens."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.codec.context import Flags, ThreadType
from av.video.reformatter import VideoReformatter

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.realtime.delivery import AUDIO_RATE
from tracker_blur.realtime.sources import CapturedAudio, CapturedFrame, CapturedItem
from tracker_blur.settings import MAX_MEGAPIXELS
from tracker_blur.video import alpha
from tracker_blur.video.frame_limit import FrameLimit
from tracker_blur.video.opening import STILL_IMAGES
from tracker_blur.video.side_data import SideDataFilter

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

    from tracker_blur.realtime.settings import LiveTiming

PROBE_BYTES = 500_000
"""How much of a stream FFmpeg reads to learn its format."""

PIPE_FORMATS = (
    "aac,ac3,asf,av1,avi,dv,eac3,flv,gif,h264,hevc,ivf,jpeg_pipe,live_flv,m4v,matroska,mjpeg,mov,"
    "mp3,mpeg,mpegts,mpegvideo,mpjpeg,mxf,nut,obu,ogg,png_pipe,webvtt,yuv4mpegpipe"
)
"""FFmpeg's demuxers for untrusted input: formats that hold video, not references or scripts."""

NETWORK_FORMATS = f"{PIPE_FORMATS},hls,rtp,rtsp,sdp"
"""The same with those that refer to other addresses."""

MIN_RATE, MAX_RATE = 1, 240
"""Frames per second that a source may claim; beyond them the value is a clock's rate."""

_MAX_BAD_PACKETS = 500  # in a row; after that many the stream is no longer the one that was opened


class ContainerSource(ABC):
    """A live source that PyAV opens; see `LiveSource`.

    Args:
        name: As the user wrote it, without secrets.
    """

    is_finite = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.rate: Fraction | None = None
        self.has_audio = False
        self._container: InputContainer | None = None
        self._decoder: ContainerDecoder | None = None

    def open(self) -> None:
        """Open the container; raises SourceError if that fails or it holds no video."""
        try:
            self._container = self._open_container()
            self._decoder = ContainerDecoder(self._container, self.name)
        except SourceError:
            self.close()
            raise
        except (av.FFmpegError, OSError, ValueError) as error:
            message = self._open_error(error)
            self.close()
            raise SourceError(message) from error
        self.rate, self.has_audio = self._decoder.rate, self._decoder.has_audio

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield frames and audio as they arrive."""
        assert self._decoder is not None
        yield from self._decoder.read(stopping)

    def close(self) -> None:
        """Close the container."""
        container, self._container, self._decoder = self._container, None, None
        if container is not None:
            container.close()

    def abort(self) -> None:  # noqa: B027  # optional to override
        """Do nothing: FFmpeg's own timeout is the only way out of a blocking read."""

    @abstractmethod
    def _open_container(self) -> InputContainer:
        """Open and return the container."""

    @abstractmethod
    def _open_error(self, error: Exception) -> str:
        """Return the one-line message for a container that cannot be opened."""


class ContainerDecoder:
    """Decodes the first video and the first audio stream of a container, at minimum delay.

    Attributes:
        rate: Frames per second; None: unknown.
        has_audio: Whether there is audio that can be decoded.

    Raises:
        SourceError: The container holds no video.
    """

    def __init__(self, container: InputContainer, name: str) -> None:
        self._container = container
        self._name = name
        video = [
            stream
            for stream in container.streams.video
            if not stream.disposition & STILL_IMAGES and stream.codec_context is not None
        ]
        if not video:
            raise SourceError(f"{name}: has no video that can be decoded: name another source")
        self._video = video[0]
        self._decoder = alpha.decoder(self._video)
        FrameLimit(MAX_MEGAPIXELS).restrict(self._decoder)
        # Frame threads would each hold back a frame.
        self._decoder.thread_type = ThreadType.SLICE
        self._decoder.flags |= Flags.low_delay
        audio = [stream for stream in container.streams.audio if stream.codec_context is not None]
        self._audio: AudioStream | None = audio[0] if audio else None
        self.has_audio = bool(audio)
        self.rate = _frame_rate(self._video)
        self._declared_aspect = self._video.sample_aspect_ratio
        self._coded_aspect = self._video.codec_context.sample_aspect_ratio
        self._reformatter = VideoReformatter()
        self._side_data = SideDataFilter()
        self._resampler = AudioResampler("fltp", "stereo", AUDIO_RATE)

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield frames and audio as they arrive; damaged packets are skipped.

        Raises:
            SourceError: Reading failed, or nothing can be decoded any more.
        """
        streams = [stream for stream in (self._video, self._audio) if stream is not None]
        packets = self._container.demux(*streams)
        bad_packets = 0
        while not stopping.is_set() and bad_packets < _MAX_BAD_PACKETS:
            try:
                packet = next(packets, None)
            except (av.InvalidDataError, IndexError):  # IndexError: a track that was added later
                bad_packets += 1
                packets = self._container.demux(*streams)  # a generator that raised is finished
                continue
            except (av.FFmpegError, OSError) as error:
                yield from self._held_back(streams)
                if isinstance(error, av.EOFError):
                    return
                if isinstance(error, av.ExitError):  # the container's timeout
                    raise SourceError(f"{self._name}: stopped sending") from error
                raise SourceError(f"{self._name}: was interrupted ({reason_of(error)})") from error
            if packet is None:
                return
            try:
                decoded = self._decoded(packet)
            except (av.FFmpegError, ValueError):
                bad_packets += 1
                continue
            if decoded:
                bad_packets = 0
            yield from self._captured(decoded)
        if bad_packets:
            raise SourceError(f"{self._name}: sends nothing that can be decoded")

    def _decoded(self, packet: Packet[Stream]) -> Iterable[object]:
        is_video = packet.stream is self._video
        return self._decoder.decode(packet) if is_video else packet.decode()

    def _captured(self, decoded: Iterable[object]) -> Iterator[CapturedItem]:
        for frame in decoded:
            if isinstance(frame, av.VideoFrame):
                if not frame.is_corrupt:
                    clean = self._side_data.clean(frame)
                    shown = alpha.on_black(clean, self._reformatter)
                    yield CapturedFrame(shown, frame.time, self._pixel_aspect())
            elif isinstance(frame, av.AudioFrame):
                yield from self._resampled(frame)

    def _held_back(self, streams: Iterable[VideoStream | AudioStream]) -> Iterator[CapturedItem]:
        """Yield what the decoders still hold.

        PyAV gets it out at an end, but not at an error, such as the end of a response of HTTP
        whose length was not stated.
        """
        for stream in streams:
            end: Packet[Stream] = av.Packet()
            end.stream, end.time_base = stream, stream.time_base or Fraction(1)
            with suppress(av.FFmpegError, ValueError):
                yield from self._captured(self._decoded(end))

    def _pixel_aspect(self) -> Fraction:
        """Return the container's pixel aspect, or the decoder's once that has changed."""
        coded = self._decoder.sample_aspect_ratio
        aspect = self._declared_aspect if coded == self._coded_aspect else coded
        return aspect if aspect and aspect > 0 else Fraction(1)

    def _resampled(self, frame: av.AudioFrame) -> Iterator[CapturedAudio]:
        timestamp = frame.time
        frame.pts = None  # the resampler rejects timestamps that jump
        with suppress(av.FFmpegError, ValueError):
            for part in self._resampler.resample(frame):
                yield CapturedAudio(part.to_ndarray().astype(np.float32, copy=False), timestamp)
                timestamp = None if timestamp is None else timestamp + part.samples / AUDIO_RATE


def _frame_rate(stream: VideoStream) -> Fraction | None:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and MIN_RATE <= rate <= MAX_RATE:
            return rate
    return None


def paced(
    items: Iterable[CapturedItem], stopping: threading.Event, timing: LiveTiming
) -> Iterator[CapturedItem]:
    """Yield items when their timestamps say they are due, until `stopping` is set.

    A late item is yielded at once, and the next one at its own time, so that small delays do not
    add up. After a long delay the clock is set again: later frames keep their distance to the late
    one. Late audio changes nothing: in many files it lies behind its frames.
    """
    start: float | None = None
    for item in items:
        now = time.monotonic()
        if item.timestamp is not None:
            wait = 0.0 if start is None else start + item.timestamp - now
            is_late_audio = wait < 0 and isinstance(item, CapturedAudio)
            is_plausible = -timing.late_playback_seconds <= wait < timing.longest_wait_seconds
            if start is None or not (is_plausible or is_late_audio):
                start, wait = now - item.timestamp, 0.0
            if stopping.wait(max(0.0, wait)):
                return
        yield item
