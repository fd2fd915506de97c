"""A doubt: a place at which a reviewer should look."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from tracker_blur.core.box import Box

_GRID = 64  # places are distinguished by this many columns and rows of the frame


@dataclass(frozen=True, slots=True)
class Doubt:
    """A place to look at.

    Attributes:
        kind: "track_end", "gap", "low_confidence", "short_track", "unsure_join", "crossing",
            "verify", "kept_stretch", "uncovered", "zone_shows" or "limit_shows".
        frame: where to look first.
        last: the last frame of it.
        track: the track concerned; None: none.
        box: where, in pixels of the upright frame; None: all of it.
        risk: 0 to 1.
        doubt_id: the same for the same place, whatever is edited elsewhere.
        boxes: where it is in some frames, if `verify` found it or it is a candidate.
    """

    kind: str
    frame: int
    last: int
    track: int | None
    box: Box | None
    risk: float
    doubt_id: str
    boxes: tuple[tuple[int, Box], ...] = ()

    @classmethod
    def at(
        cls,
        kind: str,
        frames: tuple[int, int],
        track: int | None,
        box: Box | None,
        risk: float,
        size: tuple[int, int],
        found_in: str = "",
    ) -> Doubt:
        """Return a doubt; its name stands for its kind, its place and its first frame.

        Args:
            kind: as in `Doubt`.
            frames: the first and the last one.
            track: the track concerned; None: none.
            box: where.
            risk: 0 to 1; what is beyond becomes 0 or 1.
            size: width and height of the frame in pixels.
            found_in: what distinguishes it from others of its kind in the same place.
        """
        place = "" if box is None else _place(box, size)
        text = f"{kind}:{frames[0]}:{place}:{found_in}"
        doubt_id = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        return cls(kind, *frames, track, box, round(min(max(risk, 0.0), 1.0), 3), doubt_id)

    def to_dict(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "id": self.doubt_id,
            "kind": self.kind,
            "frame": self.frame,
            "last": self.last,
            "track": self.track,
            "box": None if self.box is None else [round(edge, 1) for edge in self.box.as_tuple()],
            "risk": self.risk,
            "boxes": [
                [frame, *(round(edge, 1) for edge in box.as_tuple())] for frame, box in self.boxes
            ],
        }


def _place(box: Box, size: tuple[int, int]) -> str:
    x, y = box.center
    return f"{int(x * _GRID // size[0])},{int(y * _GRID // size[1])}"
