"""The first pass over a video: tracks each face forwards, and each new one backwards.

The result is raw: tracks with gaps and unsupported ends, and several for one face. `smoothing`
makes of it what is hidden, window by window (`final_tracks`, `lookahead`). It takes the memory of
the backtracker, and about 60 bytes for each face in each frame of a window.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from tracker_blur.core.candidates import UntrackedDetections
from tracker_blur.core.tracks import Face, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.tracking.appearance import Appearance
from tracker_blur.tracking.evidence import ClassifiedCrop, Evidence
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.core.box import Box, Detection


@dataclass(frozen=True)
class RawTracks:
    """What a first pass shows of a video, or of a window of it. Frames count from its first one.

    Attributes:
        tracks: Raw tracks.
        detection_frames: Frames on which the detector ran, ascending.
        links: Pairs (earlier, later) of identifiers that backtracking found to be one face.
        appearance: Color histograms of the detected faces.
        evidence: What the classifier says about them.
        untracked: Detections that may be faces but have no track; their label says nothing.
    """

    tracks: Tracks
    detection_frames: npt.NDArray[np.int32]
    links: tuple[tuple[int, int], ...]
    appearance: Appearance
    evidence: Evidence
    untracked: UntrackedDetections = field(
        default_factory=lambda: UntrackedDetections.of("face", ())
    )


class SeenFace(NamedTuple):
    """A face that was seen.

    Attributes:
        back: How many frames before the newest one.
        face: The face, in pixels of the upright frames.
        colors: Its color histogram, where it was detected.
    """

    back: int
    face: Face
    colors: bytes | None


class Seen(NamedTuple):
    """What is seen when a frame has been observed, of that frame and of earlier ones.

    Attributes:
        pts: Its time, in units of the time base.
        change: How the frame relates to the previous one.
        is_detection_frame: Whether the detector ran.
        faces: The faces in this frame, then those of earlier frames that are known only now.
        evidence: What the classifier says about detections in this frame.
        links: Pairs (earlier, later) of identifiers that turned out to be one face.
        untracked: Detections in this frame that may be faces but have no track, in pixels of the
            upright frame, with the classifier's log odds.
    """

    pts: int
    change: Change
    is_detection_frame: bool
    faces: tuple[SeenFace, ...]
    evidence: tuple[ClassifiedCrop, ...]
    links: tuple[tuple[int, int], ...]
    untracked: tuple[tuple[Detection, float], ...] = ()


class FirstPass:
    """Takes what is seen of a video's frames, in order.

    Args:
        max_flash_frames: Within how many frames a cut may turn out to be only a flash of light.
        reach_frames: How many frames before its first detection a face is tracked back to at most;
            0: it is not.
        size: (width, height) in pixels of the upright frames.
        time_base: Unit of the frames' times, in seconds; exact.
    """

    def __init__(
        self,
        max_flash_frames: int,
        reach_frames: int,
        size: tuple[int, int],
        time_base: Fraction,
    ) -> None:
        self.max_flash_frames = max_flash_frames
        self.reach_frames = reach_frames
        self.size = size
        self.time_base = time_base
        self._first = 0  # the first frame that is not forgotten
        self._times = array("q")
        self._latest = array("q")  # of each frame the latest time so far: it never falls
        self._detection_frames = array("i")
        self._cuts: list[int] = []
        self._is_cut_open = False  # whether a return may yet show that the last cut was a flash
        self._is_over = False
        self._builder = TracksBuilder()
        self._links: list[tuple[int, int, int]] = []
        self._appearance = Appearance()
        self._evidence = Evidence()
        self._untracked: list[tuple[int, Box, float, float]] = []

    @property
    def frame_count(self) -> int:
        """Number of frames so far."""
        return self._first + len(self._times)

    def times(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the times of these frames, in units of the time base."""
        return np.array(self._times[start - self._first : stop - self._first], np.int64)

    def later(self, frame: int, units: int) -> int:
        """Return the first frame later than this one by this many units of the time base."""
        row = frame - self._first
        return self._first + bisect_left(self._latest, self._latest[row] + units, row + 1)

    def earlier(self, frame: int, units: int) -> int:
        """Return the first frame that is earlier than this one by this many units at most."""
        row = frame - self._first
        return self._first + bisect_left(self._latest, self._latest[row] - units, 0, row)

    @property
    def final_count(self) -> int:
        """How many frames no later one changes: neither their raw tracks nor their scene."""
        if self._is_over:
            return self.frame_count
        reached = self.frame_count - self.reach_frames
        if not self._cuts:
            return max(0, reached)
        return self._cuts[-1] if self._may_be_flash() else max(self._cuts[-1], reached)

    def scene(self, frame: int) -> tuple[int, int | None]:
        """Return where the scene of a final frame begins, and the frame after it; None: unknown."""
        index = bisect_right(self._cuts, frame)
        start = self._cuts[index - 1] if index else 0
        if index == len(self._cuts):
            return start, self.frame_count if self._is_over else None
        is_last = index == len(self._cuts) - 1
        return start, None if is_last and self._may_be_flash() else self._cuts[index]

    def add(self, seen: Seen) -> None:
        """Take what was seen when the next frame was observed."""
        index = self.frame_count
        self._times.append(seen.pts)
        self._latest.append(max(seen.pts, self._latest[-1]) if self._latest else seen.pts)
        if seen.is_detection_frame:
            self._detection_frames.append(index)
        self._note_cut(seen.change, index)
        for crop in seen.evidence:
            self._evidence.add(crop, index)
        for back, face, colors in seen.faces:
            self._builder.add(index - back, face)
            if colors is not None:
                self._appearance.add(face.track_id, index - back, colors)
        self._links += [(index, earlier, later) for earlier, later in seen.links]
        self._untracked += [(index, one.box, one.score, odds) for one, odds in seen.untracked]

    def end(self) -> None:
        """Note that no more frames follow: all are final."""
        self._is_over = True

    def window(self, start: int, stop: int) -> RawTracks:
        """Return what was seen in these frames, in pixels of the upright frames.

        Of earlier frames, only what the classifier said is included.
        """
        first, last = np.searchsorted(np.array(self._detection_frames, np.int32), (start, stop))
        return RawTracks(
            Tracks(
                self.size,
                self.time_base,
                self.times(start, stop),
                tuple(cut - start for cut in self._cuts if start < cut < stop),
                self._builder.between(start, stop),
            ),
            np.array(self._detection_frames[first:last], np.int32) - np.int32(start),
            tuple((one, other) for frame, one, other in self._links if start <= frame < stop),
            self._appearance.between(start, stop),
            self._evidence.before(stop, start),
            UntrackedDetections.of("face", self._untracked).between(start, stop),
        )

    def forget(self, before: int) -> None:
        """Forget what was seen in earlier frames than this one: no window begins there.

        Args:
            before: One of the frames so far.
        """
        count = max(0, before - self._first)
        del self._times[:count], self._latest[:count]
        del self._detection_frames[: bisect_left(self._detection_frames, before)]
        del self._cuts[: max(0, bisect_right(self._cuts, before) - 1)]
        self._first += count
        self._builder.forget(before)
        self._appearance.forget(before)
        self._evidence.keep(self._builder.track_ids)
        self._links = [link for link in self._links if link[0] >= before]
        self._untracked = [row for row in self._untracked if row[0] >= before]

    def _may_be_flash(self) -> bool:
        """Return whether the last cut may turn out to be only a flash of light."""
        since = self.frame_count - self._cuts[-1]
        return self._is_cut_open and not self._is_over and since <= self.max_flash_frames

    def _note_cut(self, change: Change, index: int) -> None:
        """Note where scenes begin. A flash of light, a cut and a return, begins none."""
        if not change.is_cut:
            return
        if change is Change.RETURN and self._is_cut_open:
            self._cuts.pop()
            self._is_cut_open = False
        elif index:
            self._cuts.append(index)
            self._is_cut_open = True
