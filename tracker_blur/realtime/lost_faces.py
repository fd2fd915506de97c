"""Notices faces that the tracker lost without an explanation: they may still be there."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.realtime.settings import LiveTiming
    from tracker_blur.tracking.lookahead import FrameTracker
    from tracker_blur.tracking.online import Step


class ObservedTracker:
    """An online tracker that reports detections and lost faces.

    Args:
        tracker: The tracker that does the work.
        confidence: Score from which a detection has high confidence.
        on_detection: Called after each frame in which the detector ran.
        timing: What makes a loss one without an explanation.
    """

    def __init__(
        self,
        tracker: FrameTracker,
        confidence: float,
        on_detection: Callable[[], None],
        timing: LiveTiming,
    ) -> None:
        self._tracker = tracker
        self._loss_detector = LostFaceDetector(confidence, timing)
        self._on_detection = on_detection
        self._lost: deque[set[int]] = deque()  # for each frame that is not asked for yet

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        step = self._tracker.step(image, seconds)
        if step.is_detection_frame:
            self._on_detection()
        height, width = image.shape[:2]
        lost = self._loss_detector.step(step, (width, height))
        detected = {face.track_id for face in step.faces if face.origin is Origin.DETECTED}
        for earlier in self._lost:
            earlier -= detected
        self._lost.append(set(lost))
        return step

    def is_face_lost(self) -> bool:
        """Return whether the oldest frame not asked for has a lost face not detected since."""
        return bool(self._lost.popleft())


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
        self._tracked: dict[int, _TrackedFace] = {}
        self._before_cut: dict[int, _TrackedFace] = {}
        self._size: tuple[int, int] | None = None

    def step(self, step: Step, size: tuple[int, int]) -> frozenset[int]:
        """Return the track ids lost in this frame, whose view has this (width, height)."""
        if step.change is Change.CUT:
            self._before_cut, self._tracked = self._tracked, {}
        elif step.change is Change.RETURN:  # the cut was only a flash of light
            self._tracked |= self._before_cut
        if self._size is not None and size != self._size:
            self._rescale(size[0] / self._size[0], size[1] / self._size[1])
        self._size = size
        self._tracked = {face.track_id: self._updated(face) for face in step.faces}
        seen = [face.box for face in step.faces if face.origin is not Origin.HELD]
        lost = set()
        for face in step.faces:
            tracked = self._tracked[face.track_id]
            if (
                face.origin is Origin.HELD
                and tracked.detections >= self._timing.certain_detections
                and not self._is_at_border(tracked.box, size)
                and not self._is_occluded(tracked.box, seen)
            ):
                lost.add(face.track_id)
        return frozenset(lost)

    def _rescale(self, x_ratio: float, y_ratio: float) -> None:
        self._tracked, self._before_cut = (
            {
                track_id: _TrackedFace(face.detections, face.box.scaled(x_ratio, y_ratio))
                for track_id, face in faces.items()
            }
            for faces in (self._tracked, self._before_cut)
        )

    def _updated(self, face: Face) -> _TrackedFace:
        tracked = self._tracked.get(face.track_id, _TrackedFace(0, face.box))
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
