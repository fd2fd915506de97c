"""Face, Track and Tracks: what is hidden, when and where."""

from __future__ import annotations

import enum
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box

Boxes = npt.NDArray[np.float32]
"""Boxes one below the other, shape (n, 4): left, top, right, bottom, as in `Box`."""


class Origin(enum.Enum):
    """How a face's box came to be."""

    DETECTED = "detected"  # a detector found it
    FOLLOWED = "followed"  # a tracker carried it there, forwards or backwards in time
    HELD = "held"  # it was lost: where it was last seen, grown with the time since
    BETWEEN = "between"  # not looked for: between the boxes before and after
    MARGIN = "margin"  # before its first or after its last sight, to be safe
    DRAWN = "drawn"  # a person or another program put it there


ORIGINS = tuple(Origin)
"""The origins by the numbers that `Track.origins` holds."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame: the box to hide (before padding) and where it comes from.

    score   the last detection's, 0 to 1
    method  how to hide this one, if not as the settings say
    label   what it is: a face, or another thing that is hidden like one
    """

    track_id: int
    box: Box
    score: float
    origin: Origin
    method: str | None = None
    label: str = "face"

    def scaled(self, x_ratio: float, y_ratio: float) -> Face:
        """Return the face in a picture that is `x_ratio` times as wide, `y_ratio` as high."""
        return replace(self, box=self.box.scaled(x_ratio, y_ratio))


@dataclass(frozen=True, eq=False)
class Track:
    """One face through a video, as one row for each frame it is in; never empty.

    frames   indices of frames, shape (n,), ascending, each once; gaps are allowed
    boxes    pixels of the full-size upright frame, shape (n, 4)
    scores   of the last detection, 0 to 1, shape (n,)
    origins  indices in ORIGINS, shape (n,)
    hide     whether it is hidden at all: a face may be meant to be seen
    method   how to hide this one, if not as the settings say
    label    what it is
    """

    track_id: int
    frames: npt.NDArray[np.int32]
    boxes: Boxes
    scores: npt.NDArray[np.float32]
    origins: npt.NDArray[np.uint8]
    hide: bool = True
    method: str | None = None
    label: str = "face"

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def first(self) -> int:
        """Index of its first frame."""
        return int(self.frames[0])

    @property
    def last(self) -> int:
        """Index of its last frame."""
        return int(self.frames[-1])

    def box(self, row: int) -> Box:
        """Return the box of a row."""
        return Box(*self.boxes[row].tolist())

    def has(self, origin: Origin) -> npt.NDArray[np.bool_]:
        """Return which rows are of this origin, shape (n,)."""
        return np.equal(self.origins, ORIGINS.index(origin))

    def rows(self, which: npt.NDArray[np.bool_]) -> Track | None:
        """Return the track with these rows only, None if there are none."""
        if not which.any():
            return None
        return replace(
            self,
            frames=self.frames[which],
            boxes=self.boxes[which],
            scores=self.scores[which],
            origins=self.origins[which],
        )


@dataclass(frozen=True, eq=False)
class Tracks:
    """All faces of one video; about 30 bytes for each face in each frame.

    size       (width, height) in pixels of the upright frame
    time_base  seconds, exact
    times      presentation time of every frame, in units of `time_base`, shape (frames,)
    cuts       frames that begin another scene, ascending; the first frame is not among them
    tracks     in the order of their identifiers
    """

    size: tuple[int, int]
    time_base: Fraction
    times: npt.NDArray[np.int64]
    cuts: tuple[int, ...] = ()
    tracks: tuple[Track, ...] = ()

    @property
    def frame_count(self) -> int:
        """How many frames the video has."""
        return len(self.times)

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Presentation time of every frame in seconds, shape (frames,)."""
        return np.asarray(self.times * float(self.time_base), np.float64)


class Timeline:
    """Tracks turned around: which faces are to be hidden in a frame."""

    def __init__(self, tracks: Tracks) -> None:
        hidden = [track for track in tracks.tracks if track.hide]
        self._tracks = hidden
        owners = [np.full(len(track), index) for index, track in enumerate(hidden)]
        rows = [np.arange(len(track)) for track in hidden]
        frames = _joined([track.frames for track in hidden], np.int32)
        order = np.argsort(frames, kind="stable")
        self._owners = _joined(owners, np.int32)[order]
        self._rows = _joined(rows, np.int32)[order]
        self._starts = np.searchsorted(frames[order], np.arange(tracks.frame_count + 1))

    def faces(self, frame: int) -> tuple[Face, ...]:
        """Return the faces to hide in this frame, in pixels of the full-size upright frame."""
        start, end = self._starts[frame], self._starts[frame + 1]
        return tuple(
            self._face(self._tracks[owner], row)
            for owner, row in zip(self._owners[start:end], self._rows[start:end], strict=True)
        )

    def _face(self, track: Track, row: int) -> Face:
        origin = ORIGINS[track.origins[row]]
        score = float(track.scores[row])
        return Face(track.track_id, track.box(row), score, origin, track.method, track.label)


@dataclass(slots=True)
class _Rows:
    """A track that grows, in any order of frames."""

    frames: array[int] = field(default_factory=lambda: array("i"))
    boxes: array[float] = field(default_factory=lambda: array("f"))
    scores: array[float] = field(default_factory=lambda: array("f"))
    origins: array[int] = field(default_factory=lambda: array("B"))


class TracksBuilder:
    """Collects faces, frame by frame and in any order, into Tracks."""

    def __init__(self) -> None:
        self._rows: defaultdict[int, _Rows] = defaultdict(_Rows)

    def add(self, frame: int, face: Face) -> None:
        """Add a face in a frame; of two for the same frame and track, both are covered."""
        rows = self._rows[face.track_id]
        rows.frames.append(frame)
        rows.boxes.extend(face.box.as_tuple())
        rows.scores.append(face.score)
        rows.origins.append(ORIGINS.index(face.origin))

    def tracks(self) -> tuple[Track, ...]:
        """Return what was added so far, ordered."""
        return tuple(_track(track_id, rows) for track_id, rows in sorted(self._rows.items()))


def _track(track_id: int, rows: _Rows) -> Track:
    frames = np.array(rows.frames, np.int32)
    boxes = np.array(rows.boxes, np.float32).reshape(-1, 4)
    scores = np.array(rows.scores, np.float32)
    # Of several boxes in a frame, the best-founded origin counts: it comes first.
    origins = np.array(rows.origins, np.uint8)
    order = np.lexsort((origins, frames))
    frames, boxes = frames[order], boxes[order]
    starts = np.flatnonzero(np.diff(frames, prepend=frames[0] - 1))
    covered = np.concatenate(
        [np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)], 1
    )
    return Track(
        track_id,
        frames[starts],
        covered,
        np.maximum.reduceat(scores[order], starts),
        origins[order][starts],
    )


def _joined(parts: Sequence[npt.NDArray[np.generic]], kind: type) -> npt.NDArray[np.int32]:
    return np.concatenate(parts).astype(kind) if parts else np.empty(0, kind)
