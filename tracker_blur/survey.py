"""The first pass over a video: follow each face forwards, and each new one backwards.

What comes out is raw: faces with gaps, ends that fray, several tracks for one face. `refine` makes
of it what is hidden. Memory: what `rewind` holds, and about 60 bytes for each face in each frame.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tracker_blur.cuts import Change
from tracker_blur.follow import Follower
from tracker_blur.frames import Image
from tracker_blur.looks import Looks, look
from tracker_blur.rewind import Rewind
from tracker_blur.tracks import Face, Origin, Tracks, TracksBuilder


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


class Survey:
    """Takes a video's frames in order.

    follower     its faces are in pixels of the views
    rewind       follows new faces back; None: nobody does
    size         (width, height) in pixels of the upright frames
    time_base    seconds, exact
    """

    def __init__(
        self, follower: Follower, rewind: Rewind | None, size: tuple[int, int], time_base: Fraction
    ) -> None:
        self._follower = follower
        self._rewind = rewind
        self._size = size
        self._time_base = time_base
        self._times = array("q")
        self._cuts: list[int] = []
        self._builder = TracksBuilder()
        self._links: list[tuple[int, int]] = []
        self._looks = Looks()

    @property
    def track_count(self) -> int:
        """How many faces were seen so far, some of them more than once."""
        return self._follower.track_count

    def step(self, image: Image, pts: int) -> None:
        """Look at the view of the next frame, whose time is `pts` in units of the time base."""
        index = len(self._times)
        self._times.append(pts)
        step = self._follower.step(image, float(pts * self._time_base))
        if step.change is Change.RETURN and self._cuts:
            self._cuts.pop()  # a flash of light begins no scene
        elif step.change is not Change.NONE and index:
            self._cuts.append(index)
        for face in step.faces:
            self._add(index, face, image)
        if self._rewind is not None:
            for face, before in self._rewind.step(index, image, step):
                for earlier, view, where in before.faces:
                    self._add(earlier, where, view)
                if before.link is not None:
                    self._links.append((before.link, face.track_id))

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

    def _add(self, index: int, face: Face, image: Image) -> None:
        height, width = image.shape[:2]
        self._builder.add(index, face.scaled(self._size[0] / width, self._size[1] / height))
        if face.origin is Origin.DETECTED:
            self._looks.add(face.track_id, index, look(image, face.box))
