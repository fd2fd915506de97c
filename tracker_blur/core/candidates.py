"""Candidates: places that may show a face, though nothing is hidden there; a person may look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box


@dataclass(frozen=True, eq=False)
class UntrackedDetections:
    """Detections of one class that nothing is hidden for, a row each, of any order.

    Attributes:
        label: Their class.
        frames: In which frames they are, shape (n,).
        boxes: Pixels of the upright frame, shape (n, 4).
        scores: The detector's, 0 to 1, shape (n,).
        log_odds: The classifier's, that each is one of its class, shape (n,).
    """

    label: str
    frames: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    log_odds: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def of(cls, label: str, rows: Sequence[tuple[int, Box, float, float]]) -> Self:
        """Return the detections of these rows: frame, box, score, log odds."""
        return cls(
            label,
            np.array([row[0] for row in rows], np.int32),
            np.array([row[1].as_tuple() for row in rows], np.float32).reshape(-1, 4),
            np.array([row[2] for row in rows], np.float32),
            np.array([row[3] for row in rows], np.float32),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the detections of all parts, at least one, all of one class."""
        return cls(
            parts[0].label,
            np.concatenate([part.frames for part in parts]),
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.log_odds for part in parts]),
        )

    def rows(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Self:
        """Return only these rows."""
        return replace(
            self,
            frames=self.frames[which],
            boxes=self.boxes[which],
            scores=self.scores[which],
            log_odds=self.log_odds[which],
        )

    def between(self, start: int, stop: int) -> Self:
        """Return those of these frames, which are counted from `start`."""
        part = self.rows((self.frames >= start) & (self.frames < stop))
        return part.later(-start)

    def later(self, frames: int) -> Self:
        """Return the same, shifted by a number of frames."""
        return replace(self, frames=self.frames + np.int32(frames))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may show one face, over some frames.

    Attributes:
        boxes: Where it is, by frame, ascending; at least one. Frames between them may show it, too.
        score: The highest of the detector's, 0 to 1.
        log_odds: The classifier's, pooled: that it is a face.
        label: Its class.
    """

    boxes: tuple[tuple[int, Box], ...]
    score: float
    log_odds: float
    label: str = "face"

    @property
    def first(self) -> int:
        """The first frame."""
        return self.boxes[0][0]

    @property
    def last(self) -> int:
        """The last frame."""
        return self.boxes[-1][0]

    def between(self, start: int, stop: int) -> Candidate | None:
        """Return what it is in these frames, which are counted from `start`; None: nothing."""
        boxes = tuple((frame - start, box) for frame, box in self.boxes if start <= frame < stop)
        return replace(self, boxes=boxes) if boxes else None
