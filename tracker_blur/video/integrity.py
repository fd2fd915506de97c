"""Checks that a video is complete while it is decoded: its frames and its duration.

Each packet must become a frame, and the duration that the container states must be reached.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.codec.context import ThreadType

from tracker_blur.errors import reason_of
from tracker_blur.video import alpha
from tracker_blur.video.clock import demuxed
from tracker_blur.video.fitting import FrameShapes
from tracker_blur.video.side_data import SideDataFilter
from tracker_blur.video.transport_stream import is_at_join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

    from tracker_blur.video.fitting import Shape
    from tracker_blur.video.frame_limit import FrameLimit

# These decoders conceal damage and flag the frame; with several threads, the flag may come after
# the frame. One thread decodes 1080p at 200 frames per second, which is enough.
_CONCEALING = {"h264", "mpeg1video", "mpeg2video"}
# One packet, one frame (if not interlaced), so that a missing frame is noticed.
_ONE_TO_ONE = {"h264", "hevc", "av1", "vp9", "mpeg2video", "mjpeg", "prores", "ffv1"}
_MPEG = {"mpeg1video", "mpeg2video"}
_SEQUENCE_HEADER = b"\0\0\1\xb3"  # followed by width and height, 12 bits each
_MAX_DELAYED_FRAMES = 256  # more than any decoder holds back, with all its threads
_INDEXED_FORMATS = {"mov"}  # the demuxer knows every packet from the start
_TIMED_FORMATS = {"matroska", "flv", "asf"}  # the header states the duration
_USUAL_STEPS = 25  # frames that show how far apart they are
_MOST_AHEAD_SECONDS = Fraction(10)  # a clock further ahead has started again
_DURATION_SLACK_SECONDS = 1.0  # writers round, and may not count the last packet


class DamageError(Exception):
    """The frames decoded so far are not all; the text says why."""


def decode_frames(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    limit: FrameLimit,
    shapes: FrameShapes | None = None,
    *,
    is_part: bool = False,
) -> Iterator[tuple[av.VideoFrame, Shape]]:
    """Yield each frame of a track with its shape, in the order of presentation.

    A recording that starts between key frames begins with the first key frame, as in every player.

    Args:
        path: The file.
        container: The same, opened.
        stream: The track.
        limit: How large a frame may be.
        shapes: Tells the frames' shapes; None: the frames are the first of the file.
        is_part: The frames are not all of the file.

    Raises:
        DamageError: Frames are missing or damaged; raised at the first sign of it.
    """
    decoder = alpha.decoder(stream)
    limit.restrict(decoder)
    if decoder.codec.canonical_name in _CONCEALING:
        decoder.thread_count = 1
    else:
        decoder.thread_type = ThreadType.AUTO
    accounting = _FrameAccounting(stream)
    duration = None if is_part else DurationCheck(container, stream)
    joins = _Joins(container)
    held_back = _HeldBack(decoder)
    if shapes is None:
        shapes = new_shapes(stream)
    side_data = SideDataFilter()
    for packet in _packets(path, container, stream):
        if duration is not None and (packet.size or repeats(packet)):
            duration.add(packet)
        if packet.stream is not stream or repeats(packet):
            continue
        joins.check(packet)
        accounting.add_packet(packet)
        shapes.add_packet(packet)
        frames = held_back.before(packet)
        frames += _decode(decoder, packet, accounting)
        if frames:
            shapes.add_aspect(decoder.sample_aspect_ratio)
        frames = [side_data.clean(frame) for frame in frames]
        for frame in frames:
            shape = shapes.of(frame)
            if accounting.add_frame(frame):
                yield frame, shape
    accounting.check_end()
    if duration is not None:
        duration.check_end()


def new_shapes(stream: VideoStream) -> FrameShapes:
    """Return what identifies the shapes of a track's frames, from the first one on."""
    return FrameShapes(stream.sample_aspect_ratio or Fraction(1))


def repeats(packet: Packet[Any]) -> bool:
    """Return whether a packet is empty, but has a time: the frame before it is shown on.

    Encoders of Theora and MPEG-4 write such packets for frames that they drop.
    """
    return not packet.size and (packet.pts, packet.dts) != (None, None)


def _packets(
    path: Path, container: InputContainer, stream: VideoStream
) -> Iterator[Packet[Stream]]:
    try:
        yield from demuxed(path, container, stream.index)
    except (av.FFmpegError, OSError) as error:
        raise DamageError(f"it cannot be read further ({reason_of(error)})") from error
    except IndexError as error:  # PyAV knows only the tracks that it found on opening
        raise DamageError("another recording is joined to it there") from error


class _Joins:
    """Tells packets that are flagged as corrupt only for lying where recordings were joined.

    At a join the clock continues as before, or starts again. If it is ahead by a few frames, these
    are missing.
    """

    def __init__(self, container: InputContainer) -> None:
        is_transport_stream = "mpegts" in container.format.name
        self._path = Path(container.name.removeprefix("file:")) if is_transport_stream else None
        self._last: Fraction | None = None
        self._steps: deque[Fraction] = deque(maxlen=_USUAL_STEPS)
        self._is_at_join = False

    def check(self, packet: Packet[Stream]) -> None:
        """Take the flag from a whole packet; raises DamageError where frames are missing."""
        if self._path is None:
            return
        ticks = packet.pts if packet.dts is None else packet.dts
        if ticks is not None:
            time = ticks * packet.time_base
            step = Fraction(0) if self._last is None else time - self._last
            usual = max(self._steps, default=_MOST_AHEAD_SECONDS)
            if self._is_at_join and usual * 3 / 2 < step < _MOST_AHEAD_SECONDS:
                raise DamageError("a part of it is missing")
            if not self._is_at_join and step > 0:
                self._steps.append(step)
            self._last, self._is_at_join = time, False
        if packet.is_corrupt and packet.pos is not None:
            self._is_at_join = is_at_join(self._path, packet.pos)
            packet.is_corrupt = not self._is_at_join


def _decode(
    decoder: VideoCodecContext, packet: Packet[Stream], accounting: _FrameAccounting
) -> list[av.VideoFrame]:
    try:
        return decoder.decode(packet)
    except av.FFmpegError as error:
        if not accounting.has_started:
            return []
        raise DamageError(f"its frames are damaged ({reason_of(error)})") from error


class _HeldBack:
    """Gets the last frame of one size out of a decoder that drops it when the size changes."""

    def __init__(self, decoder: VideoCodecContext) -> None:
        self._decoder = decoder
        self._drops = decoder.codec.canonical_name in _MPEG
        self._size: bytes | None = None

    def before(self, packet: Packet[Stream]) -> list[av.VideoFrame]:
        """Return the frames that must come out before this packet is decoded."""
        if not (self._drops and packet.is_keyframe):
            return []
        _, header, rest = bytes(packet).partition(_SEQUENCE_HEADER)
        if not header:
            return []
        last, self._size = self._size, rest[:3]
        if last in (None, self._size):
            return []
        frames = self._decoder.decode(None)
        self._decoder.flush_buffers()
        return frames


class _FrameAccounting:
    """Checks that each packet comes out of the decoder as a frame, from the first key frame on."""

    def __init__(self, stream: VideoStream) -> None:
        self._is_one_to_one = stream.codec_context.codec.canonical_name in _ONE_TO_ONE
        self._key_pts: int | None = None
        self._has_key = False
        self._due: set[int] = set()
        self.has_started = False

    def add_packet(self, packet: Packet[Stream]) -> None:
        """Note a packet on its way to the decoder; the last one is empty."""
        if packet.is_keyframe and not self._has_key:
            self._has_key, self._key_pts = True, packet.pts
        if not self._has_key or not packet.size:
            return
        if packet.is_corrupt:
            raise DamageError("a part of it is missing")
        if packet.is_discard:  # outside of an edit list: decoded but not shown
            return
        if packet.pts is not None and self._key_pts is not None and packet.pts >= self._key_pts:
            self._due.add(packet.pts)
        if len(self._due) > _MAX_DELAYED_FRAMES:
            self.check_end()

    def add_frame(self, frame: av.VideoFrame) -> bool:
        """Note a decoded frame, and return whether it can be shown."""
        if frame.is_corrupt:
            if not self.has_started:
                return False
            raise DamageError("its frames are damaged")
        self.has_started = True
        if frame.interlaced_frame:  # two packets may make one frame
            self._is_one_to_one = False
        if frame.pts is not None:
            self._due.discard(frame.pts)
        return True

    def check_end(self) -> None:
        """Raise DamageError if a frame has not come out that should have by now."""
        missing = len(self._due)
        self._due.clear()
        if missing and self._is_one_to_one and self.has_started:
            raise DamageError(f"{missing} of its frames cannot be decoded")


class DurationCheck:
    """Compares what was read with the packet count and duration that the container states.

    Args:
        container: The file.
        stream: The track that is redacted.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        formats = set(container.format.name.split(","))
        self._stream = stream
        self._is_indexed = bool(formats & _INDEXED_FORMATS)
        # Matroska counts its duration from zero, not from the first packet.
        stated = Fraction(container.duration or 0, av.time_base)
        self._stated_end = stated if formats & _TIMED_FORMATS else None
        self._packets = 0
        self._end = Fraction(0)

    def add(self, packet: Packet[Stream]) -> None:
        """Note a packet of any track."""
        if packet.stream is self._stream:
            self._packets += 1
        if self._stated_end is not None:
            time = packet.dts if packet.pts is None else packet.pts
            if time is not None and packet.time_base:
                self._end = max(self._end, (time + (packet.duration or 0)) * packet.time_base)

    def check_end(self) -> None:
        """Raise DamageError if what was read is less than was stated."""
        expected = len(self._stream.index_entries)
        if self._is_indexed and self._packets < expected:
            raise DamageError(f"{expected - self._packets} of its {expected} frames are missing")
        if (
            self._stated_end is not None
            and float(self._stated_end - self._end) > _DURATION_SLACK_SECONDS
        ):
            raise DamageError(
                f"it ends at {float(self._end):.1f} of {float(self._stated_end):.1f} seconds"
            )
