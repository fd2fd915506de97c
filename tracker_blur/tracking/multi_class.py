"""Trackers of several target classes as one.

Each class is tracked separately: a face never becomes a plate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracker_blur.tracking.backtracking import Backtracked, Backtracker
from tracker_blur.tracking.online import OnlineTracker, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.core.tracks import Face
    from tracker_blur.tracking.extra_detection import Way


class MultiClassTracker:
    """An online tracker for each class, as one."""

    def __init__(self, trackers: Sequence[tuple[str, OnlineTracker]]) -> None:
        self._trackers = [tracker for _, tracker in trackers]
        self._ids = _SharedIds([label for label, _ in trackers])

    def step(self, image: Image, seconds: float) -> Step:
        """Return what is in the next frame, as `OnlineTracker.step` does."""
        steps = [tracker.step(image, seconds) for tracker in self._trackers]
        faces = tuple(
            self._ids.shared(number, face)
            for number, step in enumerate(steps)
            for face in step.faces
        )
        ways = {
            self._ids.shared_id(number, track_id): way
            for number, step in enumerate(steps)
            for track_id, way in step.ways.items()
        }
        is_detection_frame = any(step.is_detection_frame for step in steps)
        return Step(faces, steps[0].change, is_detection_frame, ways=ways)


class MultiClassBacktracker:
    """A backtracker for each class, as one; the labels are in the order of the trackers'."""

    def __init__(self, backtrackers: Sequence[tuple[str, Backtracker]]) -> None:
        self._backtrackers = [backtracker for _, backtracker in backtrackers]
        self._ids = _SharedIds([label for label, _ in backtrackers])

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Backtracked]]:
        """Yield each new face and its earlier positions, as `Backtracker.step` does."""
        for number, backtracker in enumerate(self._backtrackers):
            own = replace(
                step,
                faces=self._ids.own(number, step.faces),
                ways=self._ids.own_ways(number, step.ways),
            )
            for face, before in backtracker.step(index, image, own):
                faces = tuple(
                    (past_index, past_image, self._ids.shared(number, past_face))
                    for past_index, past_image, past_face in before.faces
                )
                link = before.link
                if link is not None:
                    link = self._ids.shared_id(number, link)
                yield self._ids.shared(number, face), Backtracked(faces, link)


class _SharedIds:
    """Makes the identifiers of several classes unique: n classes number in steps of n."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels

    def shared(self, number: int, face: Face) -> Face:
        """Return a face of the class of this number with its shared identifier and its label."""
        track_id = self.shared_id(number, face.track_id)
        return replace(face, track_id=track_id, label=self._labels[number])

    def shared_id(self, number: int, track_id: int) -> int:
        return track_id * len(self._labels) + number

    def own(self, number: int, faces: Sequence[Face]) -> tuple[Face, ...]:
        """Return the faces of the class of this number with the identifiers of its tracker."""
        count = len(self._labels)
        own = (face for face in faces if face.track_id % count == number)
        return tuple(replace(face, track_id=face.track_id // count) for face in own)

    def own_ways(self, number: int, ways: Mapping[int, Way]) -> dict[int, Way]:
        """Return the ways of the class of this number by the identifiers of its tracker."""
        count = len(self._labels)
        return {shared // count: way for shared, way in ways.items() if shared % count == number}
