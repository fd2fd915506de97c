"""Face and Tracks: what is hidden, when and where."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from tracker_blur.boxes import Box


class Origin(enum.Enum):
    """How a face's box came to be."""

    DETECTED = "detected"
    FOLLOWED = "followed"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame: the box to hide (before padding) and where it comes from.

    score   the last detection's, 0 to 1
    """

    track_id: int
    box: Box
    score: float
    origin: Origin

    def scaled(self, x_ratio: float, y_ratio: float) -> Face:
        """Return the face in a picture that is `x_ratio` times as wide, `y_ratio` as high."""
        return replace(self, box=self.box.scaled(x_ratio, y_ratio))
