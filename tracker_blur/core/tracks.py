"""Faces and tracks: what is hidden, when and where."""

from __future__ import annotations

import enum
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.rules import NO_RULES, Rules
from tracker_blur.core.zones import ZONE, Zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from tracker_blur.core.candidates import Candidate, UntrackedDetections
    from tracker_blur.core.polygons import Points

Boxes = npt.NDArray[np.float32]
"""Boxes, shape (n, 4): left, top, right, bottom, as in `Box`."""


class Origin(enum.Enum):
    """Where a face's box comes from."""

    DETECTED = "detected"  # from a detector
    TRACKED = "followed"  # from a tracker, forwards or backwards in time
    HELD = "held"  # the face was lost: its last known box, grown with the time since
    BETWEEN = "between"  # interpolated between the boxes before and after
    MARGIN = "margin"  # before the first or after the last detection, to be safe
    DRAWN = "drawn"  # from a person or another program


ORIGINS = tuple(Origin)
"""The origins by their numbers in `Track.origins`."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame.

    Attributes:
        track_id: Identifier of its track.
        box: What to hide, before padding.
        score: Score of the last detection, 0 to 1.
        origin: Where the box comes from.
        method: Redaction method, if not that of the settings.
        label: Its class: a face, or whatever else is hidden.
        outline: The corners of a polygon, if that is hidden and not the box around it.
    """

    track_id: int
    box: Box
    score: float
    origin: Origin
    method: str | None = None
    label: str = "face"
    outline: Points | None = None

    @classmethod
    def of_zone(cls, number: int, zone: Zone, seconds: float, size: tuple[int, int]) -> Face | None:
        """Return what a zone hides in a frame; None where it has moved out of it.

        Args:
            number: The zone's, from 0; its `track_id` is below 0, which no track's is.
            zone: The zone.
            seconds: When the frame is shown, since the first one.
            size: (width, height) of the upright frame.
        """
        box, outline = zone.place(seconds, size)
        box = box.clipped(*size)
        if box.is_empty:
            return None
        return cls(-1 - number, box, 1.0, Origin.DRAWN, label=ZONE, outline=outline)

    def numbered(self, track_id: int) -> Face:
        """Return the face as one of another track."""
        return replace(self, track_id=track_id)

    def scaled(self, x_ratio: float, y_ratio: float) -> Face:
        """Return the face in a frame that is `x_ratio` times as wide and `y_ratio` as high."""
        return replace(self, box=self.box.scaled(x_ratio, y_ratio))


@dataclass(frozen=True, eq=False)
class Track:
    """One face through a video, with a row for each frame it is in; never empty.

    Attributes:
        track_id: Its identifier.
        frames: Indices of frames, shape (n,), ascending and unique; gaps are allowed.
        boxes: Pixels of the full-size upright frame, shape (n, 4).
        scores: Scores of the last detection, 0 to 1, shape (n,).
        origins: Indices in `ORIGINS`, shape (n,).
        hide: Whether it is hidden; a face may be meant to be seen.
        method: Redaction method, if not that of the settings.
        label: Its class.
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

    @property
    def is_drawn(self) -> bool:
        """Whether a person, or another program, drew any of its boxes."""
        return bool(self.has(Origin.DRAWN).any())

    def has(self, origin: Origin) -> npt.NDArray[np.bool_]:
        """Return which rows have this origin, shape (n,)."""
        return np.equal(self.origins, ORIGINS.index(origin))

    def rows(self, which: npt.NDArray[np.bool_]) -> Track | None:
        """Return the track with only these rows; None if there are none."""
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

    Attributes:
        size: (width, height) in pixels of the upright frame.
        time_base: Unit of `times`, in seconds; exact.
        times: Presentation time of every frame, shape (frames,).
        cuts: Frames that begin another scene, ascending; without the first frame.
        tracks: Ordered by identifier.
        source_sha256: Hash of the video's bytes, if it is known: what was tracked in one file must
            never be applied to another.
        rules: Zones and limits, which say what else is hidden and what stays visible.
        untracked: What was seen of what may be faces without a track; none once the candidates are
            made of them.
        candidates: Places that may show a face without a track.
    """

    size: tuple[int, int]
    time_base: Fraction
    times: npt.NDArray[np.int64]
    cuts: tuple[int, ...] = ()
    tracks: tuple[Track, ...] = ()
    source_sha256: str | None = None
    rules: Rules = NO_RULES
    untracked: tuple[UntrackedDetections, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @property
    def frame_count(self) -> int:
        """Number of frames of the video."""
        return len(self.times)

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Presentation time of every frame in seconds, shape (frames,)."""
        return np.asarray(self.times * float(self.time_base), np.float64)


def joined(pieces: Sequence[Tracks]) -> Tracks:
    """Return the tracks of a video from those of its pieces, in order; at least one.

    A track that continues in another piece has the same identifier there. The cuts of a piece
    include its first frame, if that begins a scene.
    """
    starts = np.cumsum([0, *(piece.frame_count for piece in pieces)]).tolist()
    parts: defaultdict[int, list[Track]] = defaultdict(list)
    for start, piece in zip(starts, pieces, strict=False):
        for track in piece.tracks:
            parts[track.track_id].append(replace(track, frames=track.frames + np.int32(start)))
    cuts = tuple(
        start + cut for start, piece in zip(starts, pieces, strict=False) for cut in piece.cuts
    )
    return replace(
        pieces[0],
        times=np.concatenate([piece.times for piece in pieces]),
        cuts=tuple(cut for cut in cuts if cut),
        tracks=tuple(_joined(parts[track_id]) for track_id in sorted(parts)),
        untracked=tuple(
            seen.later(start)
            for start, piece in zip(starts, pieces, strict=False)
            for seen in piece.untracked
        ),
    )


def between(tracks: Tracks, start: int, stop: int) -> Tracks:
    """Return what the tracks are in these frames, which are counted from `start`."""
    parts = (track.rows((track.frames >= start) & (track.frames < stop)) for track in tracks.tracks)
    candidates = (candidate.between(start, stop) for candidate in tracks.candidates)
    return replace(
        tracks,
        times=tracks.times[start:stop],
        cuts=tuple(cut - start for cut in tracks.cuts if start <= cut < stop),
        tracks=tuple(replace(part, frames=part.frames - np.int32(start)) for part in parts if part),
        untracked=tuple(seen.between(start, stop) for seen in tracks.untracked),
        candidates=tuple(candidate for candidate in candidates if candidate is not None),
    )


def _joined(parts: Sequence[Track]) -> Track:
    return replace(
        parts[0],
        frames=np.concatenate([part.frames for part in parts]),
        boxes=np.concatenate([part.boxes for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        origins=np.concatenate([part.origins for part in parts]),
    )
