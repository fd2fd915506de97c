"""VideoReader: the frames of a video file of any format that FFmpeg reads (PyAV)."""

from __future__ import annotations

import functools
import itertools
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from tracker_blur.core.frame import VideoInfo
from tracker_blur.errors import SourceError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.settings import MAX_MEGAPIXELS
from tracker_blur.video import ogg_chain, pixel_formats, stream_info
from tracker_blur.video.clock import clock_start
from tracker_blur.video.dolby_vision import check_can_be_shown
from tracker_blur.video.fitting import FrameFitter
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.frame_limit import FrameLimit
from tracker_blur.video.integrity import DamageError, decode_frames, new_shapes
from tracker_blur.video.key_frames import part_frames
from tracker_blur.video.largest_shape import largest_shape
from tracker_blur.video.missing_bytes import missing_bytes
from tracker_blur.video.opening import STILL_IMAGES, has_no_content, open_input, video_stream
from tracker_blur.video.stream_info import ColorTags, VideoTrack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from tracker_blur.video.fitting import Shape
    from tracker_blur.video.key_frames import Part

_DEFAULT_RATE = Fraction(25)
_RATE_PACKETS = 100  # read if nothing else states the rate
_CLOCK_JUMP_SECONDS = 1.0  # a clock that goes back further has been reset


class VideoReader:
    """Yields the frames of a video's first video track, each once.

    Args:
        path: The file. Its content, not its name, decides the format.
        partial: Accept a video that is truncated or damaged, up to the last complete frame.
        identity: Of the file when the run began; None: now. Reading another file is an error.
        max_megapixels: The most pixels of a still image, in millions; a frame may have an eighth.
        part: Which frames to yield, as `KeyFrameIndex` says; None: all. Everything else is that of
            the whole file.

    Attributes:
        identity: Of the file.
        info: What is known before the rest is decoded.
        track: What a writer must know about the track.
        is_partial: Whether the video ended early, once it has, and that was accepted.
        warnings: What the user should know: tracks that are left out, an early end.

    Raises:
        SourceError: The file is missing, empty, no video or incomplete, its frames are so large
            that it may be harmful, or it has changed.
    """

    def __init__(
        self,
        path: Path,
        *,
        partial: bool = False,
        identity: FileIdentity | None = None,
        max_megapixels: float = MAX_MEGAPIXELS,
        part: Part | None = None,
    ) -> None:
        self._path = path
        self.identity = identity or FileIdentity.of(path)
        self._partial = partial
        self.is_partial = False
        self.warnings: tuple[str, ...] = ()
        self._container = open_input(path)
        try:
            self._missing_bytes = missing_bytes(path)
            if self._missing_bytes and not partial:
                raise SourceError(
                    f"{path}: is truncated ({self._missing_bytes} bytes are missing): "
                    "get the complete file, or keep what can be read with",
                    remedy="partial",
                )
            stream = video_stream(self._container, path)
            limit = FrameLimit(max_megapixels)
            limit.check(path, (stream.codec_context.width, stream.codec_context.height))
            shapes = new_shapes(stream)
            decoded = decode_frames(path, self._container, stream, limit, shapes)
            if ogg_chain.is_link(self._container):
                base = stream.time_base or 1 / _DEFAULT_RATE
                decoded = itertools.chain(decoded, _later_frames(path, base, limit))
            first, shape = self._first_frame(decoded)
            check_can_be_shown(path, first)
            common = _common_shape(self.identity, shape, limit)
            limit.check(path, stream_info.square_size(common.size, common.pixel_aspect))
            native = pixel_formats.nearest_native(first.format.name)
            self._frames = self._fitted(
                itertools.chain(((first, shape),), decoded), shape, common, native
            )
            fitted = next(self._frames)
            self._frames = itertools.chain((fitted,), self._frames)
            self.track = _track(self._container, stream, first, fitted, common, path)
            self._orientation = stream_info.orientation(self.track.matrix)
            self.info = _info(self._container, stream, self.track, self._orientation.swaps_sides)
            self.warnings = _left_out(self._container, stream, path)
            self._first_index = 0
            if part is not None:
                self._first_index = part.first_frame
                self.info = replace(self.info, frame_count=part.frame_count)
                decoded = part_frames(path, part, limit, shapes)
                self._frames = self._fitted(decoded, shape, common, native)
            self.identity.check()  # it has been opened by its name several times
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[DecodedFrame]:
        """Yield each frame once.

        Raises:
            SourceError: The video ends early, or the file was changed meanwhile.
        """
        scaler = Scaler()
        clock = _Clock(self.track)
        index = 0
        try:
            for index, frame in enumerate(self._frames, self._first_index):
                clock.set_time(frame)
                yield DecodedFrame(frame, index, self._orientation, scaler)
            if self._missing_bytes:
                raise DamageError(f"{self._missing_bytes} bytes are missing")
        except DamageError as damage:
            self._end_early(damage, index + 1, clock.seconds)
        self.identity.check()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def _first_frame(
        self, frames: Iterator[tuple[av.VideoFrame, Shape]]
    ) -> tuple[av.VideoFrame, Shape]:
        try:
            first = next(frames, None)
        except DamageError as damage:
            raise SourceError(
                f"{self._path}: not a single frame can be decoded, {damage}: get the complete file"
            ) from damage
        if first is None:
            raise SourceError(f"{self._path}: holds no frames: check that it plays")
        return first

    def _fitted(
        self,
        frames: Iterator[tuple[av.VideoFrame, Shape]],
        first_shape: Shape,
        common: Shape,
        native: str,
    ) -> Iterator[av.VideoFrame]:
        """Bring frames into one shape, and into a format that is redacted in place."""
        fitter = FrameFitter(common, native)
        has_changed = False
        for index, (frame, shape) in enumerate(frames):
            if shape != first_shape and not has_changed:
                has_changed = True
                self.warnings += (
                    f"{self._path}: after {index} frames, the shape changes from {first_shape} "
                    f"to {shape}: everything is fitted into {common}, on black",
                )
            yield fitter.fit(frame, shape)

    def _end_early(self, damage: DamageError, frames: int, seconds: float) -> None:
        self.identity.check()  # the cause may be that the file was changed
        event = f"is truncated after {frames} frames ({seconds:.1f} seconds): {damage}"
        if not self._partial:
            raise SourceError(
                f"{self._path}: {event}: get the complete file, or keep what can be read with",
                remedy="partial",
            ) from damage
        self.is_partial = True
        self.warnings += (f"{self._path}: {event}; the rest is left out",)


def _later_frames(
    path: Path, time_base: Fraction, limit: FrameLimit
) -> Iterator[tuple[av.VideoFrame, Shape]]:
    """Yield the frames of all links of a chained file but the first, on the clock of the first."""
    for link in ogg_chain.links(path)[1:]:
        with ogg_chain.open_link(path, link) as container:
            if container.streams.video:
                stream = video_stream(container, path)
                for frame, shape in decode_frames(path, container, stream, limit):
                    seconds = (frame.pts or 0) * (frame.time_base or time_base) + link.offset
                    frame.pts, frame.time_base = round(seconds / time_base), time_base
                    yield frame, shape


class _Clock:
    """Gives each frame a time, later than that of the previous one."""

    def __init__(self, track: VideoTrack) -> None:
        self._time_base = track.time_base
        self._step = max(1, round(1 / track.rate / track.time_base))
        self._pts: int | None = None

    @property
    def seconds(self) -> float:
        """The time of the last frame."""
        return float((self._pts or 0) * self._time_base)

    def set_time(self, frame: av.VideoFrame) -> None:
        """Write the time into the frame; raises DamageError if the clock was set back."""
        last = self._pts
        pts = frame.dts if frame.pts is None else frame.pts
        if pts is None:
            pts = 0 if last is None else last + self._step
        if last is not None and pts <= last:
            jump = float((last - pts) * self._time_base)
            if jump > _CLOCK_JUMP_SECONDS:
                raise DamageError(f"its clock jumps back by {jump:.1f} seconds")
            pts = last + 1
        frame.pts = self._pts = pts
        frame.time_base = self._time_base


@functools.lru_cache(maxsize=16)  # each run opens its input several times
def _largest_shape(identity: FileIdentity, limit: FrameLimit) -> Shape | None:
    with open_input(identity.path) as container:
        return largest_shape(container, video_stream(container, identity.path), limit)


def _common_shape(identity: FileIdentity, first: Shape, limit: FrameLimit) -> Shape:
    """Return the shape that all frames of a video get."""
    largest = _largest_shape(identity, limit)
    return first if largest is None or largest.orientation is not first.orientation else largest


def _track(
    container: InputContainer,
    stream: VideoStream,
    first: av.VideoFrame,
    fitted: av.VideoFrame,
    common: Shape,
    path: Path,
) -> VideoTrack:
    return VideoTrack(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=fitted.format.name,
        size=common.size,
        pixel_aspect=common.pixel_aspect,
        rate=_rate(stream, path),
        time_base=stream.time_base or 1 / _DEFAULT_RATE,
        clock_start=clock_start(path, container, stream.index),
        color=ColorTags(
            fitted.color_primaries, fitted.color_trc, fitted.colorspace, fitted.color_range
        ),
        matrix=stream_info.display_matrix(first),
        mastering=stream_info.mastering(first),
        light=stream_info.light(first),
        is_interlaced=first.interlaced_frame,
    )


def _rate(stream: VideoStream, path: Path) -> Fraction:
    guess, mean = stream.guessed_rate, stream.average_rate
    if guess and mean and guess <= 2 * mean:
        return guess
    # If frames come unevenly, as from browsers, FFmpeg takes the clock's ticks for the rate.
    return mean or _mean_rate(stream.index, path) or guess or _DEFAULT_RATE


def _mean_rate(index: int, path: Path) -> Fraction | None:
    """Return the mean rate of a track's first frames."""
    # IndexError: a track that begins in the middle, as in joined recordings.
    with open_input(path) as container, suppress(av.FFmpegError, IndexError):
        packets = container.demux(container.streams[index])
        times = [
            packet.pts * packet.time_base
            for packet in itertools.islice(packets, _RATE_PACKETS)
            if packet.pts is not None
        ]
        if len(times) > 1 and max(times) > min(times):
            rate = (len(times) - 1) / (max(times) - min(times))
            return rate.limit_denominator(1001)
    return None


def _info(
    container: InputContainer, stream: VideoStream, track: VideoTrack, swaps_sides: bool
) -> VideoInfo:
    width, height = track.size
    frame_count = stream.frames
    if not frame_count and container.duration:
        frame_count = round(Fraction(container.duration, av.time_base) * track.rate)
    return VideoInfo(
        size=(height, width) if swaps_sides else (width, height),
        pixel_aspect=1 / track.pixel_aspect if swaps_sides else track.pixel_aspect,
        rate=track.rate,
        frame_count=frame_count or None,
    )


def _left_out(container: InputContainer, stream: VideoStream, path: Path) -> tuple[str, ...]:
    """Return a warning for each track that is left out and may be missed."""
    warnings = []
    for other in container.streams:
        if other.type == "video" and other is not stream:
            if not other.disposition & STILL_IMAGES:
                warnings.append(f"{path}: track {other.index} is left out: a further video track")
        elif has_no_content(other):
            warnings.append(f"{path}: track {other.index} is left out: audio without content")
        elif other.type in ("audio", "subtitle") and other.codec_context is None:
            kind = "audio" if other.type == "audio" else "subtitles"
            warnings.append(f"{path}: track {other.index} is left out: {kind} of an unknown codec")
    return tuple(warnings)
