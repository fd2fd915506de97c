"""Where a video can be cut: key frames from which on it decodes as in the whole.

They are found by demuxing alone. A cut is at a frame that no later one precedes on the screen, and,
where the codec has other key frames, too, at one that clears all references (IDR). What is known to
be read differently from the middle on, or to have frames without times, is not cut at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from tracker_blur.video.integrity import DamageError, DurationCheck, decode_frames
from tracker_blur.video.opening import open_input, video_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    import numpy.typing as npt
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

    from tracker_blur.video.fitting import FrameShapes, Shape
    from tracker_blur.video.frame_limit import FrameLimit

_SOUGHT_FORMATS = {"mov", "matroska"}  # exact in time, with one clock
_CUT_CODECS = {"h264", "hevc", "av1", "vp9", "vp8", "mjpeg", "prores", "ffv1"}
_IDR_TYPES = {"h264": {5}, "hevc": {19, 20}}  # ITU-T H.264, table 7-1; H.265, table 7-1
_START_CODE = b"\0\0\1"


@dataclass(frozen=True, slots=True)
class Part:
    """Some frames of a video, which begin with a key frame.

    Attributes:
        start: Time of the first one, in units of the track's time base.
        stop: Time of the frame after the last one; None: the video ends.
        first_frame: Index of the first one in the video.
        frame_count: How many there are.
    """

    start: int
    stop: int | None
    first_frame: int
    frame_count: int


@dataclass(frozen=True, eq=False)
class KeyFrameIndex:
    """The frames of a video.

    Attributes:
        time_base: Unit of the times, in seconds; exact.
        times: When each frame is shown, ascending, shape (frames,).
        cuts: The indices of the frames at which the video can be cut, ascending; the first is 0.
    """

    time_base: Fraction
    times: npt.NDArray[np.int64]
    cuts: tuple[int, ...]

    def part(self, first: int, end: int) -> Part:
        """Return the frames from one cut up to another, or up to the end."""
        stop = int(self.times[end]) if end < len(self.times) else None
        return Part(int(self.times[first]), stop, first, end - first)

    @classmethod
    def of(cls, path: Path) -> KeyFrameIndex | None:
        """Return the index of a file; None if it cannot be cut.

        Raises:
            SourceError: It is no video that can be read.
        """
        with open_input(path) as container:
            stream = video_stream(container, path)
            formats = set(container.format.name.split(","))
            codec = stream.codec_context.codec.canonical_name
            if not formats & _SOUGHT_FORMATS or codec not in _CUT_CODECS:
                return None
            packets = _Packets(stream, codec)
            duration = DurationCheck(container, stream)
            try:
                for packet in container.demux():
                    if packet.size:
                        duration.add(packet)
                        if packet.stream is stream:
                            packets.add(packet)
                duration.check_end()
            except (DamageError, av.FFmpegError, OSError, IndexError):
                return None  # reading the whole reports what is wrong
            return packets.index()


class _Packets:
    """The packets of a video track, in the order of the file."""

    def __init__(self, stream: VideoStream, codec: str) -> None:
        self._time_base = stream.time_base
        self._idr_types = _IDR_TYPES.get(codec)
        self._length_bytes = _length_bytes(codec, stream.codec_context.extradata or b"")
        self._codec = codec
        self._times: list[int] = []
        self._shown: list[bool] = []
        self._keys: list[int] = []

    def add(self, packet: Packet[Stream]) -> None:
        if packet.pts is None or packet.is_corrupt:
            raise DamageError("a frame has no time, or is damaged")
        if not self._times and not packet.is_keyframe:
            raise DamageError("its first frames cannot be decoded")
        if packet.is_keyframe and not packet.is_discard and self._clears_references(packet):
            self._keys.append(len(self._times))
        self._times.append(packet.pts)
        self._shown.append(not packet.is_discard)

    def index(self) -> KeyFrameIndex | None:
        """Return the index; None if frames may be missing, or cannot be told apart."""
        times, shown = np.array(self._times, np.int64), np.array(self._shown, bool)
        if self._time_base is None or not shown.any():
            return None
        in_order = np.sort(times[shown])
        if (np.diff(in_order) <= 0).any():
            return None
        latest_before = np.maximum.accumulate(times)
        earliest_from = np.minimum.accumulate(times[::-1])[::-1]
        cuts = [
            key
            for key in self._keys
            if earliest_from[key] == times[key]
            and (key == 0 or latest_before[key - 1] < times[key])
        ]
        frames = np.searchsorted(in_order, times[cuts]).tolist()
        return KeyFrameIndex(self._time_base, in_order, tuple(dict.fromkeys((0, *frames))))

    def _clears_references(self, packet: Packet[Stream]) -> bool:
        if self._idr_types is None:
            return True
        return any(kind in self._idr_types for kind in self._unit_types(bytes(packet)))

    def _unit_types(self, content: bytes) -> Iterator[int]:
        """Yield the types of the NAL units in a packet."""
        for start in self._unit_starts(content):
            if start < len(content):
                header = content[start]
                yield header & 31 if self._codec == "h264" else header >> 1 & 63

    def _unit_starts(self, content: bytes) -> Iterator[int]:
        if self._length_bytes is None:
            at = content.find(_START_CODE)
            while at >= 0:
                yield at + len(_START_CODE)
                at = content.find(_START_CODE, at + len(_START_CODE))
            return
        at = 0
        while at + self._length_bytes < len(content):
            start = at + self._length_bytes
            yield start
            at = start + int.from_bytes(content[at:start], "big")


def _length_bytes(codec: str, setup: bytes) -> int | None:
    """Return how many bytes state the length of a NAL unit; None: start codes part them."""
    at = {"h264": 4, "hevc": 21}.get(codec)
    if at is None or len(setup) <= at or setup[0] != 1:  # ISO 14496-15, 5.3.3 and 8.3.3
        return None
    return (setup[at] & 3) + 1


def part_frames(
    path: Path, part: Part, limit: FrameLimit, shapes: FrameShapes
) -> Iterator[tuple[av.VideoFrame, Shape]]:
    """Yield the frames of a part, each with its shape.

    Args:
        path: The file.
        part: The frames.
        limit: How large a frame may be.
        shapes: Tells the frames' shapes, and knows that of the file's first frame.

    Raises:
        DamageError: Not all of them can be decoded.
    """
    count = 0
    with open_input(path) as container:
        stream = video_stream(container, path)
        if _lands_before(path, part.start):
            container.seek(part.start, stream=stream)
        frames = decode_frames(path, container, stream, limit, shapes, is_part=True)
        for frame, shape in frames:
            if frame.pts is None or frame.pts < part.start:
                continue
            if part.stop is not None and frame.pts >= part.stop:
                break
            count += 1
            yield frame, shape
    if count != part.frame_count:
        raise DamageError(f"{abs(part.frame_count - count)} of its frames cannot be decoded")


def _lands_before(path: Path, start: int) -> bool:
    """Return whether seeking leads to a key frame that is not too late: some indices are wrong."""
    with open_input(path) as container:
        stream = video_stream(container, path)
        try:
            container.seek(start, stream=stream)
            packet = next(container.demux(stream))
        except (av.FFmpegError, OSError, StopIteration):
            return False
        return packet.is_keyframe and packet.pts is not None and packet.pts <= start
