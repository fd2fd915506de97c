"""Which frames of a video are meant: by number or by time, some or every Nth."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from tracker_blur.core.timecode import read_place
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker_blur.core.frame import Frame

F = TypeVar("F", bound="Frame")


class FrameSelection:
    """Chooses frames of a video; by default all of them.

    Args:
        places: Frames or times of `core/timecode.py`, such as "375", "12.5s" and "1:02:03.4"; a
            time means the frame that is on the screen then. They count from the first frame.
        every: "10" for every tenth frame, or a time such as "0.5s" for the first frame of each
            half second; None: those that `places` names.

    Raises:
        SettingsError: One makes no sense.
    """

    def __init__(self, places: Sequence[str] = (), every: str | None = None) -> None:
        read = [read_place(text) for text in places]
        self._numbers = {place for place in read if isinstance(place, int)}
        self._times = sorted(place for place in read if isinstance(place, Fraction))
        self._every = None if every is None else read_place(every)
        if self._every == 0:
            raise SettingsError(f"every {every} makes no sense: give more than 0")
        self._is_all = not places and every is None
        self.is_one = len(set(read)) == 1
        """Whether it is one frame at most, whatever the video."""

    def of(self, frames: Iterable[F]) -> Iterator[tuple[F, Fraction]]:
        """Yield the chosen frames of a video, and the seconds since the first one.

        Nothing is read beyond what decides about the last of them.

        Raises:
            SettingsError: There is no frame of a number.
        """
        count, last_stretch = 0, -1
        for (frame, seconds), following in _with_next(_timed(frames)):
            until = math.inf if following is None else following[1]
            count += 1
            is_chosen = self._is_all or count - 1 in self._numbers
            is_chosen = is_chosen or any(seconds <= time < until for time in self._times)
            if isinstance(self._every, int):
                is_chosen = is_chosen or (count - 1) % self._every == 0
            elif self._every is not None:
                stretch = math.floor(seconds / self._every)
                is_chosen = is_chosen or stretch > last_stretch
                last_stretch = max(stretch, last_stretch)
            if is_chosen:
                yield frame, seconds
            if self._is_over(count, until):
                return
        missing = [number for number in self._numbers if number >= count]
        if missing:
            raise SettingsError(f"there is no frame {min(missing)}: the last frame is {count - 1}")

    def _is_over(self, count: int, until: Fraction | float) -> bool:
        if self._is_all or self._every is not None:
            return False
        latest = max(self._times, default=Fraction(-1))
        return count > max(self._numbers, default=-1) and latest < until


def _timed(frames: Iterable[F]) -> Iterator[tuple[F, Fraction]]:
    """Yield each frame with the seconds since the first one."""
    first: Fraction | None = None
    for frame in frames:
        at = frame.pts * frame.time_base
        first = at if first is None else first
        yield frame, at - first


def _with_next(
    timed: Iterable[tuple[F, Fraction]],
) -> Iterator[tuple[tuple[F, Fraction], tuple[F, Fraction] | None]]:
    return itertools.pairwise(itertools.chain(timed, (None,)))  # type: ignore[arg-type]  # only the last is None
