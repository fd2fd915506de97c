"""The first pass over a video: follow each face forwards, and each new one backwards.

What comes out is raw: faces with gaps, ends that fray, several tracks for one face. `refine` makes
of it what is hidden. Memory: what `rewind` holds, and about 60 bytes for each face in each frame.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Origin, Tracks, TracksBuilder
from tracker_blur.tracking.appearance import Appearance, look
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.scene_cuts import Change


@dataclass(frozen=True)
class RawTracks:
    """What a first pass saw.

    tracks  raw
    looked  frames that the detector looked at, ascending
    links   pairs (earlier, later) of identifiers that following found to be one face
    looks   how faces looked
    """

    tracks: Tracks
    looked: npt.NDArray[np.int32]
    links: tuple[tuple[int, int], ...]
    looks: Appearance


class FirstPass:
    """Takes a video's frames in order.

    follower     its faces are in pixels of the views
    rewind       follows new faces back
    size         (width, height) in pixels of the upright frames
    time_base    seconds, exact
    """

    def __init__(
        self,
        follower: OnlineTracker,
        rewind: Backtracker,
        size: tuple[int, int],
        time_base: Fraction,
    ) -> None:
        self._follower = follower
        self._rewind = rewind
        self._size = size
        self._time_base = time_base
        self._times = array("q")
        self._looked = array("i")
        self._cuts: list[int] = []
        self._is_cut_open = False  # whether a return may yet show that the last cut was a flash
        self._builder = TracksBuilder()
        self._links: list[tuple[int, int]] = []
        self._looks = Appearance()

    @property
    def track_count(self) -> int:
        """How many faces were seen so far, some of them more than once."""
        return self._follower.track_count

    def step(self, image: Image, pts: int) -> None:
        """Look at the view of the next frame, whose time is `pts` in units of the time base."""
        index = len(self._times)
        self._times.append(pts)
        step = self._follower.step(image, float(pts * self._time_base))
        if step.is_detection_frame:
            self._looked.append(index)
        self._note(step.change, index)
        for face in step.faces:
            self._add(index, face, image)
        for face, before in self._rewind.step(index, image, step):
            for earlier, view, where in before.faces:
                self._add(earlier, where, view)
            if before.link is not None:
                self._links.append((before.link, face.track_id))

    def finish(self) -> RawTracks:
        """Return what was seen, in pixels of the upright frames."""
        tracks = Tracks(
            self._size,
            self._time_base,
            np.array(self._times, np.int64),
            tuple(self._cuts),
            self._builder.tracks(),
        )
        looked = np.array(self._looked, np.int32)
        return RawTracks(tracks, looked, tuple(self._links), self._looks)

    def _note(self, change: Change, index: int) -> None:
        """Remember where scenes begin; a flash of light, a cut and a return, begins none."""
        if change is Change.NONE:
            return
        if change is Change.RETURN and self._is_cut_open:
            self._cuts.pop()
            self._is_cut_open = False
        elif index:
            self._cuts.append(index)
            self._is_cut_open = True

    def _add(self, index: int, face: Face, image: Image) -> None:
        height, width = image.shape[:2]
        self._builder.add(index, face.scaled(self._size[0] / width, self._size[1] / height))
        if face.origin is Origin.DETECTED:
            self._looks.add(face.track_id, index, look(image, face.box))
