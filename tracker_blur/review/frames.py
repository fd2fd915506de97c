"""Exact frames of one video for a person who steps, jumps and scrubs through it.

One thread decodes. What it decoded is kept, up to a number of bytes. What is asked for last comes
first; a request that a newer one of the same window has overtaken is dropped, and so is decoding on
its behalf. While no one asks, the frames that come next in the direction of travel are decoded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tracker_blur.errors import SourceError
from tracker_blur.files.paths import media_kind
from tracker_blur.images.frame import ImageFrame
from tracker_blur.images.reader import ImageReader
from tracker_blur.settings import MAX_MEGAPIXELS
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.seeking import AbandonedError, VideoFrames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    import numpy.typing as npt

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity

KeptFrame: TypeAlias = DecodedFrame | ImageFrame

MAX_BYTES = 256 << 20
"""Memory for decoded frames of one video: 190 frames of 720p, 80 of 1080p."""

_AHEAD = 24  # frames to decode in the direction of travel
_BEFORE_JUMP = 8  # frames to keep before one that is jumped to: the next step may lead back
_STEP = 3  # a change of the frame's number up to this is a step, not a jump
_MAX_CLIENTS = 256


class OvertakenError(Exception):
    """A newer request of the same window has made this one needless."""


class FrameSource(Protocol):
    """The frames of a video or an image, from any number on."""

    def prepare(self) -> None:
        """Do what makes later jumps quick."""
        ...

    def start_of(self, number: int) -> int:
        """Return from which frame on is decoded to get the one of this number."""
        ...

    def frames(self, first: int, is_wanted: Callable[[], bool]) -> Iterator[KeptFrame]:
        """Yield the frame of this number and all that follow.

        Raises:
            AbandonedError: `is_wanted` said no on the way to the first one.
            SourceError: they cannot be read, or the file has changed.
        """
        ...


class ImageFrames:
    """The only frame of an image, or the frames of an animation.

    Args:
        identity: the image, as it was when its tracks were made.
        partial: accept a truncated animation, as when its tracks were made.
        max_megapixels: as of `ImageReader`.
    """

    def __init__(
        self, identity: FileIdentity, *, partial: bool, max_megapixels: float = MAX_MEGAPIXELS
    ) -> None:
        self._identity = identity
        self._partial = partial
        self._max_megapixels = max_megapixels

    def prepare(self) -> None:
        """Nothing makes jumps quicker: each frame of an animation changes the one before."""

    def start_of(self, number: int) -> int:
        """Return 0: animations are read from their start."""
        return min(number, 0)

    def frames(self, first: int, is_wanted: Callable[[], bool]) -> Iterator[KeptFrame]:
        """Yield the frame of this number and all that follow; see `FrameSource`."""
        with ImageReader(
            self._identity.path,
            partial=self._partial,
            identity=self._identity,
            max_megapixels=self._max_megapixels,
        ) as reader:
            for frame in reader:
                if frame.index >= first:
                    yield frame
                elif not is_wanted():
                    raise AbandonedError


def frame_source(identity: FileIdentity, tracks: Tracks, *, partial: bool) -> FrameSource:
    """Return the frames of the file that tracks were made for.

    Raises:
        SourceError: it cannot be read.
    """
    if media_kind(identity.path, identity.path) == "image":
        return ImageFrames(identity, partial=partial)
    return VideoFrames(identity, tracks.times, tracks.size, partial=partial)


@dataclass(eq=False, slots=True)
class _Request:
    number: int
    client: str
    seq: int
    is_answered: threading.Event = field(default_factory=threading.Event)
    frame: KeptFrame | None = None
    error: BaseException | None = None

    def answer(self, frame: KeptFrame | None, error: BaseException | None = None) -> None:
        self.frame, self.error = frame, error
        self.is_answered.set()


class FrameStore:
    """The frames of one video, decoded by a thread of its own, some of them kept.

    Args:
        source: where they come from.
        times: their presentation times, shape (frames,), as the tracks know them.
        name: the video's, for messages.
        max_bytes: for the frames that are kept.
    """

    def __init__(
        self,
        source: FrameSource,
        times: npt.NDArray[np.int64],
        name: str,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._source = source
        self._times = times
        self._name = name
        self._max_bytes = max_bytes
        self._condition = threading.Condition()
        self._kept: OrderedDict[int, KeptFrame] = OrderedDict()
        self._bytes = 0
        self._pending: list[_Request] = []
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._at, self._direction = 0, 1
        self._expected: tuple[int, ...] = ()
        self._is_prepared = self._is_closed = False
        self._run: Iterator[KeptFrame] | None = None
        self._run_next = 0
        self._thread = threading.Thread(target=self._work, name="review frames", daemon=True)
        self._thread.start()

    def frame(self, number: int, client: str = "", seq: int = 0) -> KeptFrame:
        """Return a copy of a frame.

        Args:
            number: from 0.
            client: the window that asks; "": none that travels, as for crops of faces.
            seq: number of its request; a newer one has a higher number.

        Raises:
            IndexError: there is no such frame.
            OvertakenError: a newer request of the same window is there.
            SourceError: it cannot be read, or the file has changed.
        """
        if not 0 <= number < len(self._times):
            raise IndexError(number)
        with self._condition:
            if client:
                self._note_newest(client, seq)
                self._note_travel(number)
            kept = self._kept.get(number)
            if kept is not None:
                self._kept.move_to_end(number)
                self._condition.notify_all()  # there may be more to decode ahead
                return kept.duplicate()
            if self._is_closed:
                raise OvertakenError
            request = _Request(number, client, seq)
            self._pending.append(request)
            self._condition.notify_all()
        request.is_answered.wait()
        if request.error is not None:
            raise request.error
        assert request.frame is not None
        return request.frame

    def expect(self, numbers: Iterable[int]) -> None:
        """Decode these frames while no one asks: someone is likely to jump to them."""
        with self._condition:
            self._expected = tuple(numbers)
            self._condition.notify_all()

    @property
    def kept_bytes(self) -> int:
        """How much memory the kept frames take."""
        return self._bytes

    def forget(self) -> None:
        """Give up the memory of the kept frames, and decode nothing until someone asks."""
        with self._condition:
            self._kept.clear()
            self._bytes = 0

    def close(self) -> None:
        """Stop decoding, and forget all frames."""
        with self._condition:
            self._is_closed = True
            self._drop(lambda _: True, OvertakenError())
            self._condition.notify_all()
        self._thread.join()

    def _note_newest(self, client: str, seq: int) -> None:
        if seq < self._newest.get(client, seq):
            raise OvertakenError
        self._newest[client] = seq
        self._newest.move_to_end(client)
        if len(self._newest) > _MAX_CLIENTS:
            self._newest.popitem(last=False)
        self._drop(lambda other: other.client == client and other.seq < seq, OvertakenError())

    def _drop(self, which: Callable[[_Request], bool], error: BaseException) -> None:
        for request in [one for one in self._pending if which(one)]:
            self._pending.remove(request)
            request.answer(None, error)

    def _note_travel(self, number: int) -> None:
        step = number - self._at
        if step:
            self._direction = -1 if -_STEP <= step < 0 else 1
        self._at = number

    def _work(self) -> None:
        try:
            while self._work_once():
                pass
        finally:  # whatever happened: no one waits for a thread that is gone
            self._stop_run()
            with self._condition:
                self._is_closed = True
                self._drop(lambda _: True, OvertakenError())
                self._kept.clear()

    def _work_once(self) -> bool:
        """Decode what is asked for next; returns whether there may be more."""
        try:
            task = self._next_task()
            if task is None:
                return False
            self._decode(*task)
        except AbandonedError:
            self._stop_run()
        except BaseException as error:  # noqa: BLE001  # whoever waits must hear of it
            self._stop_run()
            with self._condition:
                self._drop(lambda _: True, error)
                self._direction = 0  # decode nothing ahead
        return True

    def _next_task(self) -> tuple[int, Callable[[], bool]] | None:
        """Wait for something to decode; None: no more."""
        while True:
            with self._condition:
                if self._is_closed:
                    return None
                request = self._next_request()
                if request is not None:
                    return request.number, partial(self._pending.__contains__, request)
                ahead = self._next_ahead()
                if ahead is not None:
                    return ahead, lambda: not self._pending
                if self._is_prepared or not self._kept:  # the first frame comes first
                    self._condition.wait()
                    continue
            self._prepare()

    def _prepare(self) -> None:
        self._is_prepared = True  # once: what fails here fails for whoever asks, too
        self._source.prepare()

    def _next_request(self) -> _Request | None:
        """Return what to decode first: the newest that a window shows, then the oldest crop."""
        travelling = [request for request in self._pending if request.client]
        return travelling[-1] if travelling else next(iter(self._pending), None)

    def _next_ahead(self) -> int | None:
        """Return the next frame that is likely to be asked for, and not kept."""
        if not self._kept or not self._direction:
            return None
        window = min(_AHEAD, self._capacity // 3)
        near = range(self._at + 1, min(self._at + 1 + window, len(self._times)))
        if self._direction < 0:
            # A whole window is decoded at once, so that it is not begun when one frame is left.
            near = range(self._at - 1, max(self._at - 1 - window // 2, -1), -1)
        expected = self._expected[: self._capacity // 6]
        return next((n for n in (*near, *expected) if n not in self._kept), None)

    @property
    def _capacity(self) -> int:
        """How many frames are kept, by the size of one of them."""
        with self._condition:
            any_frame = next(iter(self._kept.values()), None)
        return max(1, self._max_bytes // (1 if any_frame is None else any_frame.size_bytes))

    def _decode(self, number: int, is_wanted: Callable[[], bool]) -> None:
        """Decode up to this frame, from where the thread is or from a key frame."""
        if not self._is_prepared and number > self._run_next + _AHEAD:
            self._prepare()
        is_near = self._run_next <= number and self._source.start_of(number) <= self._run_next
        if self._run is None or not is_near:
            self._stop_run()
            first = self._first_for(number)
            self._run, self._run_next = self._source.frames(first, is_wanted), first
        for frame in self._run:
            self._keep(self._run_next, frame)
            self._run_next += 1
            if self._run_next > number:
                return
            if not is_wanted():
                return
        raise self._other_video()

    def _first_for(self, number: int) -> int:
        """Return from which frame on to keep what is decoded on the way to this one."""
        if not self._kept:
            return number
        before = min(_AHEAD if self._direction < 0 else _BEFORE_JUMP, self._capacity // 3)
        return max(self._source.start_of(number), number - max(1, before) + 1)

    def _keep(self, number: int, frame: KeptFrame) -> None:
        if frame.pts != int(self._times[number]):
            raise self._other_video()
        with self._condition:
            for request in [one for one in self._pending if one.number == number]:
                self._pending.remove(request)
                request.answer(frame.duplicate())
            old = self._kept.pop(number, None)
            self._bytes += frame.size_bytes - (0 if old is None else old.size_bytes)
            self._kept[number] = frame
            while self._bytes > self._max_bytes and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.size_bytes

    def _other_video(self) -> SourceError:
        return SourceError(
            f"{self._name}: its frames are not those of the tracks: use the tracks of this video"
        )

    def _stop_run(self) -> None:
        if self._run is not None:
            close = getattr(self._run, "close", None)
            if close is not None:
                close()
            self._run = None
