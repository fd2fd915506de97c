"""Opens a media file for reading: this file and nothing else, no network, no noise.

A video file of any format that FFmpeg reads (PyAV).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from tracker_blur.core.frame import VideoInfo
from tracker_blur.errors import SourceError, reason_of
from tracker_blur.files.paths import check_is_file
from tracker_blur.video import pixel_formats, stream_info
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.integrity import DamageError, decoded, missing_bytes
from tracker_blur.video.pixel_formats import reformatted
from tracker_blur.video.stream_info import ColorTags, VideoTrack

# Playlists name other files, and FFmpeg draws any text file as a picture of its letters.
_REFUSED_FORMATS = {"hls", "dash", "concat", "image2", "sdp", "tty", "bin", "xbin", "adf", "idf"}
STILL_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


def open_input(path: Path) -> InputContainer:
    """Open a file of any format that FFmpeg reads.

    Raises SourceError when it is missing, no file, empty, not permitted or not media.
    """
    check_is_file(path)
    if path.is_dir():
        raise SourceError(f"{path}: is a folder: name a file in it")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty: get the whole file")
    try:
        container = av.open(
            f"file:{path.resolve()}",  # never another protocol, whatever the name looks like
            container_options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file: check the name") from error
    except PermissionError as error:
        raise SourceError(f"{path}: reading is not permitted: change its permissions") from error
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"{path}: is no video that can be read, or not whole ({reason_of(error)}): "
            "check that it plays"
        ) from error
    if _REFUSED_FORMATS & set(container.format.name.split(",")):
        container.close()
        raise SourceError(f"{path}: is no video but text or a list: name the video itself")
    return container


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first track of moving pictures; cover art and thumbnails are none.

    Raises SourceError when there is none, or no decoder for it.
    """
    streams = [
        stream for stream in container.streams.video if not stream.disposition & STILL_PICTURES
    ]
    if not streams:
        raise SourceError(f"{path}: has no picture track: name a video")
    if streams[0].codec_context is None:
        raise SourceError(f"{path}: has pictures of an unknown kind: convert it to MP4 first")
    return streams[0]


_DEFAULT_RATE = Fraction(25)
_RATE_PACKETS = 100  # looked at where nothing else tells the rate
_ARBITRARY_CLOCKS = {"mpegts", "mpeg"}  # broadcast clocks, which start anywhere
_CLOCK_JUMP_SECONDS = 1.0  # a clock that goes back further has been set anew


class VideoReader:
    """Gives the frames of a video's first picture track.

    info         what is known before the rest is decoded
    track        what a sink must know of the track
    is_partial   whether the video broke off, once it did, and that was accepted
    warnings     what a user should know: tracks that are left out, an early end

    path     the file; its content, not its name, says which format it has
    partial  accept a video that breaks off or is damaged, up to the last whole frame

    Raises SourceError when the file is missing, empty, no video or not whole. Frames may be asked
    for once.
    """

    def __init__(self, path: Path, *, partial: bool = False) -> None:
        self._path = path
        self._partial = partial
        self.is_partial = False
        self.warnings: tuple[str, ...] = ()
        self._container = open_input(path)
        try:
            self._missing_bytes = missing_bytes(path)
            if self._missing_bytes and not partial:
                raise SourceError(
                    f"{path}: breaks off, {self._missing_bytes} bytes are missing: "
                    "get the whole file, or accept a part of it (`partial`)"
                )
            stream = picture_stream(self._container, path)
            self._pictures = self._normalized(decoded(self._container, stream))
            first = self._first_picture()
            self._pictures = itertools.chain((first,), self._pictures)
            self.track = _track(self._container, stream, first, path)
            self._orientation = stream_info.orientation(self.track.matrix)
            self.info = _info(self._container, stream, self.track, self._orientation.swaps_sides)
            self.warnings = _left_out(self._container, stream, path)
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[DecodedFrame]:
        """Give each frame once; raises SourceError where the video breaks off."""
        scaler = Scaler()
        clock = _Clock(self.track)
        index = 0
        try:
            for index, picture in enumerate(self._pictures):
                clock.set_time(picture)
                yield DecodedFrame(picture, index, self._orientation, scaler)
            if self._missing_bytes:
                raise DamageError(f"{self._missing_bytes} bytes are missing")
        except DamageError as damage:
            self._end_early(damage, index + 1, clock.seconds)

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def _first_picture(self) -> av.VideoFrame:
        try:
            first = next(self._pictures, None)
        except DamageError as damage:
            raise SourceError(
                f"{self._path}: not one picture of it can be decoded, {damage}: get the whole file"
            ) from damage
        if first is None:
            raise SourceError(f"{self._path}: holds no pictures: check that it plays")
        return first

    def _normalized(self, pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Convert what cannot be redacted in place, and what differs from the first picture."""
        reformatter = VideoReformatter()
        size = native = None
        for picture in pictures:
            if size is None or native is None:
                size = picture.width, picture.height
                native = pixel_formats.nearest_native(picture.format.name)
            if (picture.width, picture.height) == size and picture.format.name == native:
                yield picture
            else:
                yield reformatted(reformatter, picture, size, native)

    def _end_early(self, damage: DamageError, frames: int, seconds: float) -> None:
        event = f"breaks off after {frames} frames ({seconds:.1f} seconds): {damage}"
        if not self._partial:
            raise SourceError(
                f"{self._path}: {event}; get the whole file, or accept a part of it (`partial`)"
            ) from damage
        self.is_partial = True
        self.warnings += (f"{self._path}: {event}; the rest is left out",)


class _Clock:
    """Gives each picture a time, later than the one before."""

    def __init__(self, track: VideoTrack) -> None:
        self._time_base = track.time_base
        self._step = max(1, round(1 / track.rate / track.time_base))
        self._pts: int | None = None

    @property
    def seconds(self) -> float:
        """The time of the last picture."""
        return float((self._pts or 0) * self._time_base)

    def set_time(self, picture: av.VideoFrame) -> None:
        """Write the time into the picture; raises DamageError when the clock was set back."""
        last = self._pts
        pts = picture.dts if picture.pts is None else picture.pts
        if pts is None:
            pts = 0 if last is None else last + self._step
        if last is not None and pts <= last:
            jump = float((last - pts) * self._time_base)
            if jump > _CLOCK_JUMP_SECONDS:
                raise DamageError(f"its clock jumps back by {jump:.1f} seconds")
            pts = last + 1
        picture.pts = self._pts = pts
        picture.time_base = self._time_base


def _track(
    container: InputContainer, stream: VideoStream, first: av.VideoFrame, path: Path
) -> VideoTrack:
    is_arbitrary = bool(_ARBITRARY_CLOCKS & set(container.format.name.split(",")))
    return VideoTrack(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=first.format.name,
        size=(first.width, first.height),
        pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
        rate=_rate(stream, path),
        time_base=stream.time_base or 1 / _DEFAULT_RATE,
        clock_start=Fraction(container.start_time or 0, av.time_base) * is_arbitrary,
        color=ColorTags(
            first.color_primaries, first.color_trc, first.colorspace, first.color_range
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
    # FFmpeg takes the clock's ticks for the rate where frames come unevenly, as from browsers.
    return mean or _mean_rate(stream.index, path) or guess or _DEFAULT_RATE


def _mean_rate(index: int, path: Path) -> Fraction | None:
    """Return the rate at which a track's first pictures follow each other."""
    with open_input(path) as container, suppress(av.FFmpegError):
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
    warnings = []
    for other in container.streams:
        if other.type == "video" and other is not stream:
            if not other.disposition & STILL_PICTURES:
                warnings.append(f"{path}: track {other.index} is left out: more pictures")
        elif other.type in ("audio", "subtitle") and other.codec_context is None:
            kind = "sound" if other.type == "audio" else "subtitles"
            warnings.append(f"{path}: track {other.index} is left out: {kind} of an unknown kind")
    return tuple(warnings)
