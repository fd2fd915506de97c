"""Tracks a new face backwards in time, from its first detection to where the evidence ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box_arrays import edges, overlapping
from tracker_blur.core.state import Pixels
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.advancing import has_drifted, is_outside
from tracker_blur.tracking.crowd import matches
from tracker_blur.tracking.extra_detection import USUAL, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.state import State
    from tracker_blur.trackers import Tracker
    from tracker_blur.tracking.online import Step
    from tracker_blur.tracking.redetection import Redetector


@dataclass(frozen=True, slots=True)
class Backtracked:
    """Where a new face was before it was detected.

    Attributes:
        faces: Index of the frame, its view, and the face in pixels of the view; the latest first.
        link: Identifier of the lost face that it turned out to be, or None.
    """

    faces: tuple[tuple[int, Image, Face], ...]
    link: int | None


@dataclass(frozen=True, slots=True)
class _PastFrame:
    index: int
    image: Image
    faces: tuple[Face, ...]
    seen: tuple[Detection, ...]

    def rescaled(self, shape: tuple[int, ...]) -> _PastFrame:
        """Return the frame at the size of views of this shape."""
        (height, width), (rows, columns) = self.image.shape[:2], shape[:2]
        image = cv2.resize(self.image, (columns, rows), interpolation=cv2.INTER_LINEAR)
        ratios = columns / width, rows / height
        faces = tuple(face.scaled(*ratios) for face in self.faces)
        seen = tuple(replace(one, box=one.box.scaled(*ratios)) for one in self.seen)
        return _PastFrame(self.index, np.asarray(image, np.uint8), faces, seen)


@dataclass(slots=True)
class _Path:
    """Where a new face of a crowd was, as far as it is known."""

    face: Face
    box: Box
    way: Way
    reached_back: int = 0
    is_open: bool = True
    link: int | None = None
    faces: list[tuple[int, Image, Face]] = field(default_factory=list)


class Backtracker:
    """Keeps the views of the last moment, and tracks new faces back through them.

    Args:
        new_tracker: Makes a tracker for one face. None: only re-detection is used.
        redetector: Detects a face where it is expected.
        rate: Frames per second.
        parameters: Tuning parameters.
    """

    def __init__(
        self,
        new_tracker: Callable[[], Tracker] | None,
        redetector: Redetector,
        rate: float,
        parameters: TrackingParameters,
    ) -> None:
        self._new_tracker = new_tracker
        self._redetector = redetector
        self._parameters = parameters
        limits = parameters.backtracking
        frames = min(limits.max_window_frames, max(1, round(limits.window_seconds * rate)))
        self._window: deque[_PastFrame] = deque()
        self._reach_frames = frames
        self._max_window_bytes = limits.max_window_megabytes << 20
        self._known_ids: set[int] = set()

    @property
    def reach_frames(self) -> int:
        """How many frames before its first detection a face is tracked back to at most."""
        return self._reach_frames

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Backtracked]]:
        """Yield each new face of this frame and its earlier positions.

        New is also what the classifier took for no face until now. Call it once per frame; frames
        may be left out.
        """
        while self._window and index - self._window[0].index > self._reach_frames:
            self._window.popleft()
        if step.change.is_cut:
            self._window.clear()
        if self._window and self._window[-1].image.shape != image.shape:
            for number, past in enumerate(self._window):
                self._window[number] = past.rescaled(image.shape)
        new = [face for face in step.faces if face.track_id not in self._known_ids]
        if step.is_detection_frame:  # others may be left out, with their faces
            self._known_ids = {face.track_id for face in step.faces}
        if step.seen is not None:
            yield from self._backtrack_crowd(new, index, step)
        else:
            for face in new:
                yield face, self._backtrack(face, index, image, step)
        self._window.append(_PastFrame(index, image, step.faces, step.seen or ()))
        while sum(past.image.nbytes for past in self._window) > self._max_window_bytes:
            self._window.popleft()

    @property
    def track_ids(self) -> tuple[int, ...]:
        """The identifiers of the tracks that it may name, in the order of its views."""
        faces = (face.track_id for past in self._window for face in past.faces)
        return tuple(dict.fromkeys((*faces, *sorted(self._known_ids))))

    def state(self, index: int, ranks: Mapping[int, int]) -> State:
        """Return what the next steps depend on, besides the next images.

        Args:
            index: That of the newest frame, whether it was left out or not.
            ranks: Stand for the identifiers of the tracks.
        """
        past_faces = tuple(
            (index - past.index, _faces_state(past.faces, ranks), _seen_state(past.seen))
            for past in self._window
        )
        known = tuple(sorted(ranks[track_id] for track_id in self._known_ids))
        return past_faces, known, tuple(Pixels(past.image) for past in self._window)

    def _backtrack(self, face: Face, index: int, image: Image, step: Step) -> Backtracked:
        detected_now = {other.track_id for other in step.faces if other.origin is Origin.DETECTED}
        earlier = list(reversed(self._window))
        path = backtrack(
            image,
            face.box,
            ((index - past.index, past.image) for past in earlier),
            self._new_tracker,
            self._redetector,
            self._parameters,
            step.ways.get(face.track_id, USUAL),
        )
        faces: list[tuple[int, Image, Face]] = []
        for past, (box, score, origin) in zip(earlier, path, strict=False):
            reached = self._detected_at(box, past.faces)
            if reached is not None:
                link = None if reached.track_id in detected_now else reached.track_id
                return Backtracked(tuple(faces), link)
            faces.append((past.index, past.image, Face(face.track_id, box, score, origin)))
        return Backtracked(tuple(faces), None)

    def _backtrack_crowd(
        self, new: Sequence[Face], index: int, step: Step
    ) -> Iterator[tuple[Face, Backtracked]]:
        """Yield new faces of a crowd and their earlier positions, after one pass over the views.

        What was detected in a whole view, with any score, stands for re-detection there. A few of
        the faces that it does not show are detected again in crops. None has a tracker.
        """
        detected_now = {other.track_id for other in step.faces if other.origin is Origin.DETECTED}
        longest_gap = self._parameters.crowds.max_backtracking_gap_frames
        last_back = 0
        paths = [_Path(face, face.box, step.ways.get(face.track_id, USUAL)) for face in new]
        crops_left = self._parameters.crowds.max_backtracking_crops
        for past in reversed(self._window):
            back = index - past.index
            going_on = [
                one
                for one in paths
                if one.is_open
                and (one.reached_back == last_back or back - one.reached_back <= longest_gap)
            ]
            last_back = back
            seen = matches([one.box for one in going_on], past.seen, self._parameters.same_face_iou)
            for path, detection in zip(going_on, seen, strict=True):
                if detection is None and crops_left:
                    crops_left -= 1
                    detection = self._redetector.detect(past.image, path.box, path.way)
                if detection is None:
                    continue
                reached = self._detected_at(detection.box, past.faces)
                if reached is not None:
                    path.link = None if reached.track_id in detected_now else reached.track_id
                    path.is_open = False
                    continue
                path.box, path.reached_back = detection.box, back
                track_id, score = path.face.track_id, detection.score
                earlier = Face(track_id, detection.box, score, Origin.DETECTED)
                path.faces.append((past.index, past.image, earlier))
        for path in paths:
            yield path.face, Backtracked(tuple(path.faces), path.link)

    def _detected_at(self, box: Box, faces: tuple[Face, ...]) -> Face | None:
        """Return the face that was detected where backtracking has arrived."""
        detected = [face for face in faces if face.origin is Origin.DETECTED]
        iou = self._parameters.same_face_iou
        _, same = overlapping(edges([box]), edges(face.box for face in detected), iou)
        return detected[same[0]] if len(same) else None


def _seen_state(seen: Iterable[Detection]) -> State:
    return tuple((one.box.as_tuple(), one.score) for one in seen)


def _faces_state(faces: Iterable[Face], ranks: Mapping[int, int]) -> State:
    return tuple((ranks[one.track_id], one.box.as_tuple(), one.origin) for one in faces)


def backtrack(
    newest: Image,
    box: Box,
    earlier: Iterable[tuple[int, Image]],
    new_tracker: Callable[[], Tracker] | None,
    redetector: Redetector,
    parameters: TrackingParameters,
    way: Way = USUAL,
) -> Iterator[tuple[Box, float, Origin]]:
    """Yield the face's box in each earlier view, the latest first, until it is lost.

    With each comes the score of the last detection on the way, 0 while there was none.

    Args:
        newest: View in which the face was detected.
        box: Where, in pixels of the view.
        earlier: By how many frames each view is before it, and the view; the latest first, all of
            the same size.
        new_tracker: Makes a tracker for one face. None: only re-detection is used.
        redetector: Detects a face where it is expected.
        parameters: Tuning parameters.
        way: How the face was detected.
    """
    tracker: Tracker | None = None
    previous, detected = newest, box
    confirmed_back, score = 0, 0.0
    longest_unconfirmed = parameters.backtracking.max_unconfirmed_frames
    for back, image in earlier:
        tracked, detection = None, redetector.detect(image, box, way)
        # The first view after a detection counts, however many frames there are between.
        may_track = tracker is None or back - confirmed_back <= longest_unconfirmed
        if detection is None and new_tracker is not None and may_track:
            if tracker is None:
                tracker = new_tracker()
                tracker.start(previous, box)
            tracked = tracker.update(image)
            detection = None if tracked is None else redetector.detect(image, tracked, way)
        if detection is not None:
            tracker = None  # a fresh tracker drifts less, and costs less than it helps
            box = detected = detection.box
            confirmed_back, score = back, detection.score
            yield box, score, Origin.DETECTED
        elif (
            tracked is None
            or has_drifted(tracked, detected, parameters)
            or is_outside(tracked, image, parameters)
        ):
            return
        else:
            box = tracked
            yield box, score, Origin.TRACKED
        previous = image
