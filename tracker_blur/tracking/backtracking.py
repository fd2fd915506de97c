"""Follows a face backwards in time, from its first detection to where the evidence ends.

Remembers the last moment of a video, and follows new faces back through it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.trackers import Tracker
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.scene_cuts import Change

_UNCONFIRMED_FRAMES = 6  # a tracker that no second look confirms is trusted for so many frames
_SIZE_RATIO = 1.6  # a tracker that changes the size by more, unconfirmed, has drifted
_INSIDE_SHARE = 0.25  # of the box: less left in the picture, and the face has not entered yet


def backtrack(
    newest: Image,
    box: Box,
    earlier: Iterable[Image],
    new_tracker: Callable[[], Tracker] | None,
    redetector: Redetector,
) -> Iterator[tuple[Box, float, Origin]]:
    """Give the face's box in each earlier picture, the latest first, until it is lost.

    With each comes the score of the last find on the way, 0 while there was none.

    newest   where the face was found, in `box`, pixels of the picture
    earlier  the pictures before it, the latest first, of the same size
    new_tracker  None: only the second look says where it is
    """
    tracker: Tracker | None = None
    previous, known = newest, box
    unconfirmed, score = 0, 0.0
    for image in earlier:
        followed, find = None, redetector.find(image, box)
        if find is None and new_tracker is not None:
            if tracker is None:
                tracker = new_tracker()
                tracker.start(previous, box)
            followed = tracker.update(image)
            find = None if followed is None else redetector.find(image, followed)
        if find is not None:
            tracker = None  # a find is where the face is: starting anew costs less than drifting
            box = known = find.box
            unconfirmed, score = 0, find.score
            yield box, score, Origin.DETECTED
        elif followed is None or _has_drifted(followed, known) or _is_outside(followed, image):
            return
        else:
            unconfirmed += 1
            if unconfirmed > _UNCONFIRMED_FRAMES:
                return
            box = followed
            yield box, score, Origin.FOLLOWED
        previous = image


def _has_drifted(box: Box, known: Box) -> bool:
    return not 1 / _SIZE_RATIO < box.size / known.size < _SIZE_RATIO


def _is_outside(box: Box, image: Image) -> bool:
    height, width = image.shape[:2]
    return box.clipped(width, height).area < _INSIDE_SHARE * box.area


WINDOW_SECONDS = 1.0  # how far back a new face is followed
_WINDOW_FRAMES = 30  # and through how many frames at the most: they are kept as pictures
_REACHED_IOU = 0.4  # going backwards, a face that overlaps another's by more has become that one


@dataclass(frozen=True, slots=True)
class Backtracked:
    """Where a new face was before it was found.

    faces   the latest first: index of the frame, its view, and the face in pixels of the view
    link    identifier of the face, lost by now, that it turned out to be; None if none
    """

    faces: tuple[tuple[int, Image, Face], ...]
    link: int | None


@dataclass(frozen=True, slots=True)
class _Seen:
    index: int
    image: Image
    faces: tuple[Face, ...]


class Backtracker:
    """Holds the reduced pictures of the last second, 30 at the most.

    rate   frames per second
    """

    def __init__(
        self, new_tracker: Callable[[], Tracker] | None, redetector: Redetector, rate: float
    ) -> None:
        self._new_tracker = new_tracker
        self._redetector = redetector
        frames = min(_WINDOW_FRAMES, max(1, round(WINDOW_SECONDS * rate)))
        self._window: deque[_Seen] = deque(maxlen=frames)
        self._known = 0

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Backtracked]]:
        """Give each face that is new in this frame with where it was before; once a frame."""
        if step.change is not Change.NONE:
            self._window.clear()
        new = [face for face in step.faces if face.track_id >= self._known]
        self._known = max((self._known, *(face.track_id + 1 for face in new)))
        for face in new:
            yield face, self._way_back(face, image, step.faces)
        self._window.append(_Seen(index, image, step.faces))

    def _way_back(self, face: Face, image: Image, others: tuple[Face, ...]) -> Backtracked:
        found_now = {other.track_id for other in others if other.origin is Origin.DETECTED}
        earlier = [seen for seen in reversed(self._window) if seen.image.shape == image.shape]
        way = backtrack(
            image, face.box, (seen.image for seen in earlier), self._new_tracker, self._redetector
        )
        faces: list[tuple[int, Image, Face]] = []
        for seen, (box, score, origin) in zip(earlier, way, strict=False):
            reached = _reached(box, seen.faces)
            if reached is not None:
                link = None if reached.track_id in found_now else reached.track_id
                return Backtracked(tuple(faces), link)
            faces.append((seen.index, seen.image, Face(face.track_id, box, score, origin)))
        return Backtracked(tuple(faces), None)


def _reached(box: Box, faces: tuple[Face, ...]) -> Face | None:
    """Return the face that was found where following backwards has arrived."""
    for face in faces:
        if face.origin is Origin.DETECTED and face.box.iou(box) > _REACHED_IOU:
            return face
    return None
