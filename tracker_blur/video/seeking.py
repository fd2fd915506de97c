"""Reads frames of a video from any number on, exactly those that `VideoReader` yields there.

Decoding begins at the last key frame before. That the result is the same is not hoped for but
checked: all packets are listed once, without decoding. If each has a presentation time of its own,
and these are those of the tracks, a decoded frame is known by its time. After a seek, each packet
must be the next one of the list. Frames that are shown before the key frame they are stored behind
(open GOPs) are decoded from the key frame before that one. Where any of this fails, the video is
read from its start.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
from av.codec.context import ThreadType

from tracker_blur.settings import MAX_MEGAPIXELS
from tracker_blur.video import alpha, ogg_chain, pixel_formats, stream_info
from tracker_blur.video.disposable import DisposablePackets
from tracker_blur.video.fitting import FrameFitter, FrameShapes, Shape
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.frame_limit import FrameLimit
from tracker_blur.video.opening import open_input, video_stream
from tracker_blur.video.packet_list import NotAsListedError, PacketList, packets_from
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.side_data import SideDataFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from tracker_blur.files.identity import FileIdentity

_MAX_THREADS = 8  # two cores are busier with eight than with four: a jump takes 4 % less
_MAX_KEYS_BACK = 4  # recordings that are refreshed line by line need several
_KEYS_LOOKED_AT = 8  # for their shapes, of all key frames
_STRICT = {"h264", "mpeg1video", "mpeg2video", "mpeg4", "vp8", "vp9"}
_LAYERS_BYTE = 21  # of an MP4's or Matroska's description of HEVC


class AbandonedError(Exception):
    """The frames are not wanted any more."""


class _OtherShapeError(Exception):
    """A frame has another shape than those before."""


class VideoFrames:
    """The frames of a video, from any number on.

    Args:
        identity: the video, as it was when its tracks were made.
        times: presentation times of all frames, as the reader gives them.
        size: (width, height) in pixels of the upright frames, as the reader gives it.
        partial: accept a truncated video, as when its tracks were made.
        max_megapixels: as of `VideoReader`.
    """

    def __init__(
        self,
        identity: FileIdentity,
        times: npt.NDArray[np.int64],
        size: tuple[int, int],
        *,
        partial: bool = False,
        max_megapixels: float = MAX_MEGAPIXELS,
    ) -> None:
        self._identity = identity
        self._times = times
        self._size = size
        self._partial, self._max_megapixels = partial, max_megapixels
        self._limit = FrameLimit(max_megapixels)
        self._form: _Form | None = None
        self._packets: PacketList | None = None
        self._is_prepared = False
        self._preparing = threading.Lock()
        self._opened: deque[InputContainer] = deque()
        self._scaler = Scaler()

    def prepare(self) -> None:
        """List the packets, and open the file for the next jump; otherwise, the jump does it.

        The list takes half a second for an hour of video. It is made once.
        """
        with self._preparing:
            if self._is_prepared:
                if self._packets is not None and not self._opened:
                    self._opened.append(open_input(self._identity.path))
                return
            form = self._found_form()
            if form is not None:
                packets = PacketList.of(self._identity, self._times)
                if packets is not None and self._has_other_shapes(form, packets):
                    form = self._mixed(form)
                self._packets = packets
            self._form, self._is_prepared = form, True

    def start_of(self, number: int) -> int:
        """Return from which frame on is decoded to get the one of this number."""
        key = None if self._packets is None else self._packets.key_before(self._due(number))
        if self._packets is None or key is None:
            return 0
        return int(np.searchsorted(self._times, self._packets.pts[key]))

    def frames(
        self, first: int, is_wanted: Callable[[], bool]
    ) -> Generator[DecodedFrame, int | None, None]:
        """Yield the frame of this number and all that follow.

        Send a later number to get the frame of that number next. What lies between is only
        decoded as far as it is needed for that.

        Args:
            first: number of the frame, from 0.
            is_wanted: asked again and again on the way to the first frame, or to one that was sent.

        Raises:
            AbandonedError: they are not wanted any more.
            SourceError: the video cannot be read, or has changed.
        """
        self._identity.check()
        if first:
            self.prepare()
        elif not self._is_prepared:
            form = self._found_form()
            self._form = self._form if self._is_prepared else form  # meanwhile, by another thread
        place = _Place(first)
        for key in self._starts(first):
            try:
                for frame in self._decoded(key, place, is_wanted):
                    place.go_on((yield frame))
            except _OtherShapeError:
                assert self._form is not None
                self._form = self._mixed(self._form)
                yield from self.frames(place.number, is_wanted)
                return
            except (NotAsListedError, av.FFmpegError):
                if not place.has_begun:
                    continue
            break
        if place.number < len(self._times):
            for frame in self._from_start(place, is_wanted):
                place.go_on((yield frame))

    def _open(self) -> InputContainer:
        """Return the opened file; that it is still the same has been checked."""
        with suppress(IndexError):
            return self._opened.pop()
        return open_input(self._identity.path)

    def _found_form(self) -> _Form | None:
        """Return the form of all frames, as far as the first one shows it; None: not at all."""
        form = _Form.of(self._identity, self._limit)
        return form if form is None or form.size == self._size else self._mixed(form)

    def _mixed(self, first: _Form) -> _Form:
        """Return the form into which frames of several shapes are fitted."""
        with self._reader() as reader:
            track = reader.track
        orientation = stream_info.orientation(track.matrix)
        shape = Shape(track.size, track.pixel_aspect, orientation)
        return replace(first, shape=shape, pixel_format=track.pixel_format, is_mixed=True)

    def _has_other_shapes(self, form: _Form, packets: PacketList) -> bool:
        """Return whether one of a few key frames has another shape, such as other pixels."""
        if form.is_mixed:
            return False
        few = np.linspace(0, len(packets.keys) - 1, _KEYS_LOOKED_AT).round().astype(int)
        with open_input(self._identity.path) as container:
            stream = video_stream(container, self._identity.path)
            decoder = _Decoder(stream, self._limit, form.aspect_correction)
            for place in sorted(set(few.tolist())) if packets.keys else ():
                with suppress(av.FFmpegError, NotAsListedError):
                    sought = packets_from(container, stream, packets, packets.keys[place])
                    shapes = (shape for one in sought for _, shape in decoder.decode(one, None))
                    if next(shapes, form.shape) != form.shape:
                        return True
                decoder.restart()
        return False

    def _reader(self) -> VideoReader:
        return VideoReader(
            self._identity.path,
            identity=self._identity,
            partial=self._partial,
            max_megapixels=self._max_megapixels,
        )

    def _due(self, number: int) -> int:
        return int(self._times[number])

    def _starts(self, first: int) -> Iterator[int | None]:
        """Yield the key frames from which a frame may be decoded, None for the video's start."""
        if self._form is None:
            return
        if first == 0:
            yield None
        elif self._packets is not None:
            for back in range(_MAX_KEYS_BACK):
                key = self._packets.key_before(self._due(first), back)
                if key is None:
                    return
                yield key

    def _from_start(self, place: _Place, is_wanted: Callable[[], bool]) -> Iterator[DecodedFrame]:
        with self._reader() as reader:
            for frame in reader:
                if frame.index >= place.number:
                    yield frame
                elif not is_wanted():
                    raise AbandonedError

    def _decoded(
        self, key: int | None, place: _Place, is_wanted: Callable[[], bool]
    ) -> Iterator[DecodedFrame]:
        """Yield frames from a place on, decoded from a key frame, None: from the start."""
        form = self._form
        assert form is not None
        with self._open() as container:
            stream = video_stream(container, self._identity.path)
            decoder = _Decoder(stream, self._limit, form.aspect_correction)
            fitter = FrameFitter(form.shape, form.pixel_format)
            for packet in packets_from(container, stream, self._packets, key):
                if place.is_sought and not is_wanted():
                    raise AbandonedError
                for frame, shape in decoder.decode(packet, self._due(place.number)):
                    due = self._due(place.number)
                    if frame.pts is not None and frame.pts < due:
                        continue
                    if frame.pts != due or frame.is_corrupt:
                        raise NotAsListedError
                    if shape != form.shape and not form.is_mixed:
                        raise _OtherShapeError
                    fitted = fitter.fit(frame, shape)
                    fitted.time_base = stream.time_base
                    yield DecodedFrame(fitted, place.number, form.shape.orientation, self._scaler)
                    if place.number >= len(self._times):
                        return


@dataclass(slots=True)
class _Place:
    """How far the frames of a video have come.

    Attributes:
        number: the frame that comes next.
        is_sought: whether it does not follow the previous one.
        has_begun: whether there was one.
    """

    number: int
    is_sought: bool = True
    has_begun: bool = False

    def go_on(self, number: int | None) -> None:
        """Go on to a later frame; None: to the one that follows."""
        following = self.number + 1
        self.number = following if number is None else number
        self.is_sought = self.number != following
        self.has_begun = True


@dataclass(frozen=True, slots=True)
class _Form:
    """What all frames of a video have in common.

    Attributes:
        shape: how they are stored and shown.
        pixel_format: the native one that they are brought into.
        aspect_correction: by how much the container corrects the codec's pixel aspect.
        is_mixed: whether frames of other shapes are fitted into this one.
    """

    shape: Shape
    pixel_format: str
    aspect_correction: Fraction | None
    is_mixed: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels of the upright frames."""
        width, height = self.shape.size
        return (height, width) if self.shape.orientation.swaps_sides else (width, height)

    @classmethod
    def of(cls, identity: FileIdentity, limit: FrameLimit) -> _Form | None:
        """Return the form of a video's first frame; None if it must be read from its start."""
        with open_input(identity.path) as container, suppress(av.FFmpegError, OSError, IndexError):
            if ogg_chain.is_link(container):
                return None
            stream = video_stream(container, identity.path)
            decoder = _Decoder(stream, limit, None)
            for packet in container.demux(stream):
                for frame, shape in decoder.decode(packet, None):
                    if frame.is_corrupt:
                        return None
                    native = pixel_formats.nearest_native(frame.format.name)
                    return cls(shape, native, decoder.shapes.correction)
        return None


class _Decoder:
    """Decodes from a key frame on, and leaves out what the first wanted frame does not need."""

    def __init__(
        self, stream: VideoStream, limit: FrameLimit, aspect_correction: Fraction | None
    ) -> None:
        self._skips = _can_skip(stream)
        self._disposable = DisposablePackets(stream)
        self._decoder = alpha.decoder(stream)
        limit.restrict(self._decoder)
        self._decoder.thread_type = ThreadType.AUTO
        self._decoder.thread_count = _MAX_THREADS
        self._aspects = stream.sample_aspect_ratio or Fraction(1), aspect_correction
        self.shapes = FrameShapes(*self._aspects)
        self._side_data = SideDataFilter()

    def restart(self) -> None:
        """Forget what was decoded, before the next key frame."""
        self._decoder.flush_buffers()
        self.shapes = FrameShapes(*self._aspects)

    def decode(self, packet: Packet[Any], due: int | None) -> Iterator[tuple[av.VideoFrame, Shape]]:
        """Yield the frames that come out, with their shapes.

        Args:
            packet: the next one.
            due: the time of the first frame that is wanted, of those before only key frames come
                out; None: all are.
        """
        is_early = due is not None and packet.pts is not None and packet.pts < due
        self.shapes.add_packet(packet)
        if is_early and self._skips and self._disposable.holds(packet):
            return
        self._decoder.skip_frame = "NONREF" if is_early and self._skips else "DEFAULT"
        frames = self._decoder.decode(packet)
        if frames:
            self.shapes.add_aspect(self._decoder.sample_aspect_ratio)
        for frame in frames:
            # Shapes change at key frames only.
            if due is None or frame.pts is None or frame.pts >= due or frame.key_frame:
                clean = self._side_data.clean(frame)
                yield clean, self.shapes.of(clean)


def _can_skip(stream: VideoStream) -> bool:
    """Return whether frames that the codec says are no references never are any."""
    context = stream.codec_context
    if context.codec.canonical_name != "hevc":
        return context.codec.canonical_name in _STRICT
    # Those of a lower temporal layer may be references for a higher one (ISO 14496-15, 8.3.3.1).
    extra = context.extradata or b""
    return len(extra) > _LAYERS_BYTE and extra[0] == 1 and extra[_LAYERS_BYTE] >> 3 & 7 == 1
