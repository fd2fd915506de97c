"""Several observers of one video, each from another frame on, see what a single one would.

An observer that begins in the middle knows nothing of what came before, so it may miss what the one
that began earlier still follows. So the earlier one continues beyond that frame, next to a copy of
the later one, until both are in the same state: from there on, they see the same. A scene cut ends
all tracks; elsewhere it takes until the faces that were there have gone, or for some time (the
classifier's last answers about a face are a part of the state). If that never happens, the earlier
one alone continues to the end. The result is exact in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.core.frame import Frame, Plane
from tracker_blur.tracking.observation import renumbered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.tracking.first_pass import Seen
    from tracker_blur.tracking.observation import VideoObserver

_FRAMES_BETWEEN = 4  # from one comparison to the next: they take time


@dataclass(frozen=True, slots=True)
class Numbers:
    """The identifiers that another observer's tracks have.

    Attributes:
        known: Those of tracks that both know.
        offset: What is added to those of all others, which began later.
    """

    known: Mapping[int, int]
    offset: int

    def of(self, track_id: int) -> int:
        """Return the identifier of one of the other's tracks."""
        return self.known.get(track_id, track_id + self.offset)

    def after(self, other: Numbers) -> Numbers:
        """Return the numbers of a third one's tracks; `other` maps them to the second one's."""
        later = {second - other.offset: number for second, number in self.known.items()}
        known = {third: self.of(second) for third, second in other.known.items()}
        return Numbers({**later, **known}, self.offset + other.offset)

    def renumbered(self, seen: Seen) -> Seen:
        """Return what the other one has seen, with these identifiers."""
        if not (self.known or self.offset):
            return seen
        return renumbered(seen, self.of)


UNCHANGED = Numbers({}, 0)


@dataclass(frozen=True, slots=True)
class Handover:
    """Where one observer is in the state of another one.

    Attributes:
        start: Time of the frame at which the other one began.
        pts: Time of the last frame before both see the same.
        numbers: For each class, the identifiers of the other's tracks.
    """

    start: int
    pts: int
    numbers: tuple[Numbers, ...]


class RelayedObserver:
    """Observes a video from some frame on, until another one can take over.

    Args:
        new_observer: Returns a new observer of the video.
        starts: Times of the frames at which others begin, ascending.
    """

    def __init__(self, new_observer: Callable[[], VideoObserver], starts: Sequence[int]) -> None:
        self._new_observer = new_observer
        self._observer = new_observer()
        self._starts = list(starts)
        self._copy: VideoObserver | None = None
        self._start = 0
        self._frames = 0

    @property
    def observer(self) -> VideoObserver:
        """The one whose state and tracks count."""
        return self._observer

    def step(self, frame: Frame) -> tuple[tuple[Seen, ...], Handover | None]:
        """Return what is seen of the next frame, and where another one takes over, if it does."""
        if self._starts and frame.pts == self._starts[0]:
            self._start = self._starts.pop(0)
            self._copy, self._frames = self._new_observer(), 0
        if self._copy is None:
            return self._observer.step(frame), None
        once = _OnceViewed(frame)
        seen = self._observer.step(once)
        self._copy.step(once)
        self._frames += 1
        if self._frames % _FRAMES_BETWEEN or not self._observer.is_like(self._copy):
            return seen, None
        pairs = zip(self._observer.identifiers, self._copy.identifiers, strict=True)
        numbers = tuple(
            Numbers(dict(zip(other.known, own.known, strict=True)), own.next_id - other.next_id)
            for own, other in pairs
        )
        return seen, Handover(self._start, frame.pts, numbers)


class _OnceViewed(Frame):
    """A frame whose views are made once for several observers, which only read them."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.index, self.pts, self.time_base = frame.index, frame.pts, frame.time_base
        self.layout, self.orientation = frame.layout, frame.orientation
        self._views: dict[tuple[int, int], Image] = {}

    @property
    def size(self) -> tuple[int, int]:
        return self._frame.size

    def view(self, size: tuple[int, int]) -> Image:
        if size not in self._views:
            self._views[size] = self._frame.view(size)
        return self._views[size]

    def planes(self) -> tuple[Plane, ...]:
        return self._frame.planes()
