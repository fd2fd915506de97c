"""The places of a video from which decoding can continue, without a key frame.

Reviewers go back and forth: to a place and back, on from there, some seconds further. So
the decoders of the last few places stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.review.frame_sources import FrameRun, FrameSource, KeptFrame

_MAX_RUNS = 3
_MAX_BYTES = 160 << 20
_FRAMES_HELD = 24  # by a decoder: up to 16 that others refer to, and one in each thread


class _Run:
    """Frames that are decoded one after the other, some left out.

    Attributes:
        next: number of the frame that comes next.
    """

    def __init__(self, frames: FrameRun, first: int) -> None:
        self._frames = frames
        self._has_begun = False
        self.next = first

    def frame(self, number: int) -> KeptFrame | None:
        """Return the next frame, or a later one; None: there is none."""
        try:
            if number == self.next or not self._has_begun:
                frame: KeptFrame = next(self._frames)
            else:
                frame = self._frames.send(number)
        except StopIteration:
            return None
        self._has_begun = True
        self.next = number + 1
        return frame

    def close(self) -> None:
        self._frames.close()


class FrameRuns:
    """Decodes frames from the nearest of a few places. Not for several threads.

    Args:
        source: where the frames come from.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._runs: list[_Run] = []  # the next one to give up is the first
        self._current: _Run | None = None
        self._given_up: list[_Run] = []  # to close one takes some milliseconds
        self._is_wanted: Callable[[], bool] = lambda: True
        self._most = 1

    @property
    def next(self) -> int:
        """The frame that comes next."""
        return 0 if self._current is None else self._current.next

    def start(
        self, first: int, number: int, is_wanted: Callable[[], bool], *, is_asked: bool
    ) -> int:
        """Go to a place before a frame, or stay at one.

        Args:
            first: the first frame that is of use.
            number: the frame.
            is_wanted: asked again and again on the way there.
            is_asked: whether someone waits for it; a place that no one has requested is the first
                to be given up.

        Returns:
            The first frame that `frame` should be called for.
        """
        self._is_wanted = is_wanted
        key = self._source.start_of(number)
        near = [run for run in self._runs if key <= run.next <= number]
        if near:
            run = max(near, key=lambda one: one.next)
            if run is self._current:
                return max(first, run.next)
            self._runs.remove(run)
        else:
            while len(self._runs) >= self._most:
                self._given_up.append(self._runs.pop(0))
            run = _Run(self._source.frames(first, lambda: self._is_wanted()), first)
        self._runs.insert(len(self._runs) if is_asked else 0, run)
        self._current = run
        return max(first, run.next)

    def frame(self, number: int) -> KeptFrame | None:
        """Return the frame that comes next, or a later one; None: there is none.

        Raises:
            AbandonedError: it is not wanted any more.
            SourceError: it cannot be read, or the file has changed.
        """
        run, frame = self._current, None
        assert run is not None
        try:
            frame = run.frame(number)
        finally:
            if frame is None:
                self._runs.remove(run)
                self._current = None
                run.close()
        if frame is not None:
            held = _FRAMES_HELD * frame.size_bytes
            self._most = min(_MAX_RUNS, max(1, _MAX_BYTES // max(1, held)))
        return frame

    def tidy(self) -> None:
        """Do what no one has to wait for."""
        while self._given_up:
            self._given_up.pop().close()

    def close(self) -> None:
        """Give up all places."""
        self._current = None
        self._given_up += self._runs
        self._runs.clear()
        self.tidy()
