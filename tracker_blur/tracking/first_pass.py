"""The first pass over a video: tracks each face forwards, and each new one backwards.

The result is raw: tracks with gaps and unsupported ends, and several for one face. `smoothing`
makes of it what is hidden. It takes the memory of the backtracker, and about 60 bytes for each
face in each frame.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Face, Origin, Tracks, TracksBuilder
from tracker_blur.tracking.appearance import Appearance, color_histogram
from tracker_blur.tracking.evidence import Evidence
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.core.frame import Image
    from tracker_blur.tracking.backtracking import Backtracker
    from tracker_blur.tracking.online import OnlineTracker


@dataclass(frozen=True)
class RawTracks:
    """The result of a first pass.

    Attributes:
        tracks: Raw tracks.
        detection_frames: Frames on which the detector ran, ascending.
        links: Pairs (earlier, later) of identifiers that backtracking found to be one face.
        appearance: Color histograms of the detected faces.
        evidence: What the classifier says of them.
    """

    tracks: Tracks
    detection_frames: npt.NDArray[np.int32]
    links: tuple[tuple[int, int], ...]
    appearance: Appearance
    evidence: Evidence


class FirstPass:
    """Takes a video's frames in order.

    Args:
        tracker: Tracks forwards, in pixels of the views.
        backtracker: Tracks new faces backwards.
        size: (width, height) in pixels of the upright frames.
        time_base: Unit of the frames' times, in seconds; exact.
    """

    def __init__(
        self,
        tracker: OnlineTracker,
        backtracker: Backtracker,
        size: tuple[int, int],
        time_base: Fraction,
    ) -> None:
        self._tracker = tracker
        self._backtracker = backtracker
        self._size = size
        self._time_base = time_base
        self._times = array("q")
        self._detection_frames = array("i")
        self._cuts: list[int] = []
        self._is_cut_open = False  # whether a return may yet show that the last cut was a flash
        self._builder = TracksBuilder()
        self._links: list[tuple[int, int]] = []
        self._appearance = Appearance()
        self._evidence = Evidence()

    @property
    def track_count(self) -> int:
        """Number of tracks so far; a face may have several."""
        return self._tracker.track_count

    def step(self, image: Image, pts: int) -> None:
        """Take the view of the next frame, whose time is `pts` in units of the time base."""
        index = len(self._times)
        self._times.append(pts)
        step = self._tracker.step(image, float(pts * self._time_base))
        if step.is_detection_frame:
            self._detection_frames.append(index)
        self._note_cut(step.change, index)
        for face in step.faces:
            self._add(index, face, image)
        for track_id, log_odds in step.evidence:
            self._evidence.add(track_id, log_odds)
        for face, before in self._backtracker.step(index, image, step):
            for past_index, past_image, past_face in before.faces:
                self._add(past_index, past_face, past_image)
            if before.link is not None:
                self._links.append((before.link, face.track_id))

    def finish(self) -> RawTracks:
        """Return the raw tracks, in pixels of the upright frames."""
        tracks = Tracks(
            self._size,
            self._time_base,
            np.array(self._times, np.int64),
            tuple(self._cuts),
            self._builder.tracks(),
        )
        detection_frames = np.array(self._detection_frames, np.int32)
        return RawTracks(
            tracks, detection_frames, tuple(self._links), self._appearance, self._evidence
        )

    def _note_cut(self, change: Change, index: int) -> None:
        """Note where scenes begin. A flash of light, a cut and a return, begins none."""
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
            self._appearance.add(face.track_id, index, color_histogram(image, face.box))
