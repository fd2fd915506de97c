"""Exact frames of one video for a person who steps, jumps and scrubs through it.

One thread decodes. What it decoded is kept, up to a number of bytes. What was requested last comes
first; a request that a newer one of the same window has overtaken is dropped, and so is decoding on
its behalf. While no one asks, the frames that come next in the direction of travel are decoded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError
from tracker_blur.review.frame_runs import FrameRuns
from tracker_blur.video.seeking import AbandonedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    import numpy.typing as npt

    from tracker_blur.review.frame_sources import FrameSource, KeptFrame

MAX_BYTES = 256 << 20
"""Memory for decoded frames of one video: 190 frames of 720p, 80 of 1080p."""

_AHEAD = 24  # frames to decode in the direction of travel
_BEFORE_JUMP = 8  # frames to keep before one that is jumped to: the next step may lead back
_STEP = 3  # a change of the frame's number up to this is a step, not a jump
_MAX_CLIENTS = 256


class OvertakenError(Exception):
    """A newer request of the same window has made this one needless."""


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
        self._is_prepared = self._is_closed = self._is_resting = False
        self._preparing: threading.Thread | None = None
        self._runs = FrameRuns(source)
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
            self._is_resting = False
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

    def forget(self) -> None:
        """Give up the memory of frames and decoders, and decode nothing until someone asks."""
        with self._condition:
            if not self._is_resting:
                self._is_resting = True
                self._kept.clear()
                self._bytes, self._expected = 0, ()
                self._condition.notify_all()

    def close(self) -> None:
        """Stop decoding, and forget all frames."""
        with self._condition:
            self._is_closed = True
            self._drop(lambda _: True, OvertakenError())
            self._condition.notify_all()
        self._thread.join()
        if self._preparing is not None:
            self._preparing.join()

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
            self._runs.close()
            with self._condition:
                self._is_closed = True
                self._drop(lambda _: True, OvertakenError())
                self._kept.clear()

    def _work_once(self) -> bool:
        """Decode what is requested next; returns whether there may be more."""
        try:
            task = self._next_task()
            if task is None:
                return False
            self._decode(*task)
        except AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            with self._condition:
                self._drop(lambda _: True, error)
                self._direction = 0  # decode nothing ahead
        return True

    def _next_task(self) -> tuple[int, Callable[[], bool], bool] | None:
        """Wait for something to decode: what, while it is wanted, and if someone waits for it."""
        with self._condition:
            while not self._is_closed:
                request = self._next_request()
                if request is not None:
                    return request.number, partial(self._pending.__contains__, request), True
                ahead = self._next_ahead()
                if ahead is not None:
                    is_near = abs(ahead - self._at) <= _AHEAD
                    return ahead, lambda: not self._pending, is_near
                if self._is_resting:
                    self._runs.close()
                if self._preparing is None and (self._kept or self._pending):
                    self._preparing = threading.Thread(
                        target=self._prepare, name="review packets", daemon=True
                    )
                    self._preparing.start()  # the first frame came first
                self._condition.wait()
        return None

    def _prepare(self) -> None:
        """Make jumps quick, while frames that are near are decoded."""
        failed: BaseException | None = None
        try:
            self._source.prepare()
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            failed = error
        with self._condition:
            self._is_prepared = True  # once: what fails here fails for each request, too
            if failed is not None:
                self._drop(lambda _: True, failed)
            self._condition.notify_all()

    def _can_reach(self, number: int) -> bool:
        """Return whether a frame can be decoded at once: before all is prepared, few can."""
        return self._is_prepared or number <= self._runs.next + _AHEAD

    def _next_request(self) -> _Request | None:
        """Return what to decode first: the newest that a window shows, then the oldest crop."""
        possible = [request for request in self._pending if self._can_reach(request.number)]
        travelling = [request for request in possible if request.client]
        return travelling[-1] if travelling else next(iter(possible), None)

    def _next_ahead(self) -> int | None:
        """Return the next frame that is likely to be requested, and not kept."""
        if not self._kept:
            return next(filter(self._can_reach, self._expected), None)
        if not self._direction:
            return None
        window = min(_AHEAD, self._capacity // 3)
        near = range(self._at + 1, min(self._at + 1 + window, len(self._times)))
        if self._direction < 0:
            # A whole window is decoded at once, so that it is not begun when one frame is left.
            near = range(self._at - 1, max(self._at - 1 - window // 2, -1), -1)
        expected = self._expected[: self._capacity // 6]
        likely = (n for n in (*near, *expected) if n not in self._kept)
        return next(filter(self._can_reach, likely), None)

    @property
    def _capacity(self) -> int:
        """How many frames are kept, by the size of one of them."""
        with self._condition:
            any_frame = next(iter(self._kept.values()), None)
        return max(1, self._max_bytes // (1 if any_frame is None else any_frame.size_bytes))

    def _decode(self, number: int, is_wanted: Callable[[], bool], is_asked: bool) -> None:
        """Decode up to this frame, from where decoding can continue, or from a key frame."""
        first = self._runs.start(self._first_for(number), number, is_wanted, is_asked=is_asked)
        for at in range(first, number + 1):
            frame = self._runs.frame(at)
            if frame is None:
                raise self._other_video()
            self._keep(at, frame)
            if not is_wanted():
                break
        self._runs.tidy()
        if self._is_prepared:
            self._source.prepare()  # for the next jump

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
