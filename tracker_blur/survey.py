"""The first pass over a video: follow each face forwards, and each new one backwards.

What comes out is raw: faces with gaps, ends that fray, several tracks for one face. `refine` makes
of it what is hidden. Memory: the reduced pictures of the last second, and about 30 bytes for each
face in each frame.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from tracker_blur.backwards import follow_back
from tracker_blur.boxes import Box
from tracker_blur.cuts import Change
from tracker_blur.follow import Follower
from tracker_blur.frames import Image
from tracker_blur.second_look import SecondLook
from tracker_blur.trackers import Tracker
from tracker_blur.tracks import Face, Origin, Tracks, TracksBuilder

WINDOW_SECONDS = 1.0  # how far back a new face is followed
_WINDOW_FRAMES = 30  # and in how many frames at the most: they are kept as pictures
_REACHED_IOU = 0.4  # going backwards, a face that overlaps another's by more has become that one
_HUE_BINS, _SATURATION_BINS = 8, 3

Looks = dict[tuple[int, int], bytes]
"""How faces looked where they were found, by (track, frame): a histogram of hue and saturation,
shares of 255 in one byte each."""


@dataclass(frozen=True)
class Sightings:
    """What a first pass saw.

    tracks  raw
    links   pairs (earlier, later) of identifiers that following found to be one face
    looks   how faces looked
    """

    tracks: Tracks
    links: tuple[tuple[int, int], ...]
    looks: Looks


@dataclass(frozen=True, slots=True)
class _Seen:
    index: int
    image: Image
    faces: tuple[Face, ...]


class Survey:
    """Takes a video's frames in order.

    follower     set to skip frames or not; its faces are in pixels of the views
    size         (width, height) in pixels of the upright frames
    time_base    seconds, exact
    rate         frames per second
    """

    def __init__(
        self,
        follower: Follower,
        new_tracker: Callable[[], Tracker] | None,
        second_look: SecondLook,
        size: tuple[int, int],
        time_base: Fraction,
        rate: float,
    ) -> None:
        self._follower = follower
        self._new_tracker = new_tracker
        self._second_look = second_look
        self._size = size
        self._time_base = time_base
        self._times = array("q")
        self._cuts: list[int] = []
        self._builder = TracksBuilder()
        self._links: list[tuple[int, int]] = []
        self._looks: Looks = {}
        frames = min(_WINDOW_FRAMES, max(1, round(WINDOW_SECONDS * rate)))
        self._window: deque[_Seen] = deque(maxlen=frames)

    @property
    def track_count(self) -> int:
        """How many faces were seen so far."""
        return self._follower.track_count

    def step(self, image: Image, pts: int) -> None:
        """Look at the view of the next frame, whose time is `pts` in units of the time base."""
        index = len(self._times)
        self._times.append(pts)
        known = self._follower.track_count
        step = self._follower.step(image, float(pts * self._time_base))
        self._note(step.change, index)
        for face in step.faces:
            self._add(index, face, image)
        for face in step.faces:
            if face.track_id >= known:
                self._go_back(face, image, step.faces)
        self._window.append(_Seen(index, image, step.faces))

    def finish(self) -> Sightings:
        """Return what was seen, in pixels of the upright frames."""
        tracks = Tracks(
            self._size,
            self._time_base,
            np.array(self._times, np.int64),
            tuple(self._cuts),
            self._builder.tracks(),
        )
        return Sightings(tracks, tuple(self._links), self._looks)

    def _note(self, change: Change, index: int) -> None:
        """Remember where scenes begin; a flash of light is no scene."""
        if change is Change.NONE:
            return
        self._window.clear()
        if change is Change.RETURN and self._cuts:
            self._cuts.pop()
        elif index:
            self._cuts.append(index)

    def _go_back(self, face: Face, image: Image, others: tuple[Face, ...]) -> None:
        """Follow a new face through the frames before it."""
        if self._new_tracker is None:
            return
        found_now = {other.track_id for other in others if other.origin is Origin.DETECTED}
        earlier = [seen for seen in reversed(self._window) if seen.image.shape == image.shape]
        way = follow_back(
            image, face.box, (seen.image for seen in earlier), self._new_tracker, self._second_look
        )
        for seen, (box, score, origin) in zip(earlier, way, strict=False):
            reached = _reached(box, seen.faces)
            if reached is not None:
                if reached.track_id not in found_now:
                    self._links.append((reached.track_id, face.track_id))
                return
            self._add(seen.index, Face(face.track_id, box, score, origin), seen.image)

    def _add(self, index: int, face: Face, image: Image) -> None:
        height, width = image.shape[:2]
        self._builder.add(index, face.scaled(self._size[0] / width, self._size[1] / height))
        if face.origin is Origin.DETECTED:
            self._looks[face.track_id, index] = _look(image, face.box)


def _reached(box: Box, faces: tuple[Face, ...]) -> Face | None:
    """Return the face that was found where following backwards has arrived."""
    for face in faces:
        if face.origin is Origin.DETECTED and face.box.iou(box) > _REACHED_IOU:
            return face
    return None


def _look(image: Image, box: Box) -> bytes:
    """Return the colors in a box."""
    height, width = image.shape[:2]
    left, top, right, bottom = box.clipped(width, height).outward()
    crop = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    if not crop.size:
        return bytes(_HUE_BINS * _SATURATION_BINS)
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    bins = [_HUE_BINS, _SATURATION_BINS]
    counts = cv2.calcHist([hsv], [0, 1], None, bins, [0, 180, 0, 256])
    return np.asarray(counts.ravel() * (255 / counts.sum()), np.uint8).tobytes()
