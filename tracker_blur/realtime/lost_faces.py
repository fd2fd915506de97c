"""Notices faces that the tracker lost without an explanation: they may still be there."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Frame
    from tracker_blur.realtime.settings import LiveTiming
    from tracker_blur.tracking.first_pass import Seen
    from tracker_blur.tracking.lookahead import FrameObserver

TrackKey: TypeAlias = tuple[int, int]
"""The number of a target class, and a track of it."""


class LostFaces:
    """Reports detections, and lost faces in the frames that go out.

    Args:
        confidence: Score from which a detection has high confidence.
        on_detection: Called after each frame in which the detector ran.
        timing: What makes a loss one without an explanation.
    """

    def __init__(
        self, confidence: float, on_detection: Callable[[], None], timing: LiveTiming
    ) -> None:
        self._loss_detector = LostFaceDetector(confidence, timing)
        self._on_detection = on_detection
        self._lost: deque[set[TrackKey]] = deque()  # for each frame that was not requested yet

    def add(self, seen: Sequence[Seen], size: tuple[int, int]) -> None:
        """Take what was seen in the next frame of this (width, height), for each class."""
        if any(one.is_detection_frame for one in seen):
            self._on_detection()
        faces = {
            (number, one.face.track_id): one.face
            for number, of_class in enumerate(seen)
            for one in of_class.faces
            if not one.back
        }
        lost = self._loss_detector.step(faces, seen[0].change, size)
        detected = {key for key, face in faces.items() if face.origin is Origin.DETECTED}
        for earlier in self._lost:
            earlier -= detected
        self._lost.append(set(lost))

    def is_face_lost(self) -> bool:
        """Return whether the oldest frame not requested yet has a lost face not detected since."""
        return bool(self._lost.popleft())


class WatchedObserver:
    """An observer whose losses are noted.

    Attributes:
        targets: The target classes.

    Args:
        observer: Observes the frames.
        lost_faces: Takes what is seen of them.
    """

    def __init__(self, observer: FrameObserver, lost_faces: LostFaces) -> None:
        self._observer = observer
        self._lost_faces = lost_faces
        self.targets = observer.targets

    def step(self, frame: Frame) -> Sequence[Seen]:
        """Return what is seen of the next frame, for each class."""
        seen = self._observer.step(frame)
        self._lost_faces.add(seen, frame.size)
        return seen


@dataclass(frozen=True, slots=True)
class _TrackedFace:
    """High-confidence detections so far, and the last box that was not held."""

    detections: int
    box: Box


class LostFaceDetector:
    """Detects faces that the tracker lost without an explanation: they may still be there.

    A face that left over the border, went behind another, or ended at a cut is explained.

    Args:
        confidence: Score from which a detection has high confidence.
        timing: What makes a loss one without an explanation.
    """

    def __init__(self, confidence: float, timing: LiveTiming) -> None:
        self._confidence = confidence
        self._timing = timing
        self._tracked: dict[TrackKey, _TrackedFace] = {}
        self._before_cut: dict[TrackKey, _TrackedFace] = {}

    def step(
        self, faces: Mapping[TrackKey, Face], change: Change, size: tuple[int, int]
    ) -> frozenset[TrackKey]:
        """Return the tracks that are lost in the next frame.

        Args:
            faces: The faces in it, by track.
            change: What it is to the frame before.
            size: Its (width, height); all frames have the same.
        """
        if change is Change.CUT:
            self._before_cut, self._tracked = self._tracked, {}
        elif change is Change.RETURN:  # the cut was only a flash of light
            self._tracked |= self._before_cut
        self._tracked = {key: self._updated(key, face) for key, face in faces.items()}
        seen = [face.box for face in faces.values() if face.origin is not Origin.HELD]
        lost = set()
        for key, face in faces.items():
            tracked = self._tracked[key]
            if (
                face.origin is Origin.HELD
                and tracked.detections >= self._timing.certain_detections
                and not self._is_at_border(tracked.box, size)
                and not self._is_occluded(tracked.box, seen)
            ):
                lost.add(key)
        return frozenset(lost)

    def _updated(self, key: TrackKey, face: Face) -> _TrackedFace:
        tracked = self._tracked.get(key, _TrackedFace(0, face.box))
        if face.origin is Origin.HELD:
            return tracked
        is_certain = face.origin is Origin.DETECTED and face.score >= self._confidence
        return _TrackedFace(tracked.detections + is_certain, face.box)

    def _is_at_border(self, box: Box, size: tuple[int, int]) -> bool:
        reach = self._timing.border_sizes * box.size
        left, top, right, bottom = box.as_tuple()
        return min(left, top, size[0] - right, size[1] - bottom) < reach

    def _is_occluded(self, box: Box, others: list[Box]) -> bool:
        most = self._timing.occluded_share * box.area
        return any(other.intersection_area(box) > most for other in others)
