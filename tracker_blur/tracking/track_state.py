"""One face as the online loop knows it: where it was seen, is expected, and what confirms it.

Weak finds that confirm no face: one alone is none, several looks in a row that agree are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.tracks import Origin
from tracker_blur.trackers import Tracker
from tracker_blur.tracking.association import pair

GATE_SIZES = 0.8  # how far, in face sizes, a find may lie from where its face is expected
_GATE_GROWTH_PER_SECOND = 1.5  # and how much farther for each second the face was not seen
_GATE_LIMIT = 2.0
_VELOCITY_SHARE = 0.5  # of the newest measurement in the smoothed velocity
_VELOCITY_SECONDS = 0.5  # a face unseen for longer is not expected to keep its course
_FASTEST_SIZES = 20.0  # a second; what seems faster comes from time stamps that jitter
_GROWTH_PER_SECOND = 0.5  # a held box grows by this share of its size, on each side


@dataclass(frozen=True, slots=True)
class MatchCriteria:
    """How like a track's expected box a find must be to confirm it.

    gate_share  of the distance up to which the two are paired
    size_ratio  of the larger to the smaller, at most
    """

    gate_share: float
    size_ratio: float


HIGH_CONFIDENCE = MatchCriteria(0.7, 2.0)
LOW_CONFIDENCE = MatchCriteria(
    0.5, 1.6
)  # a weak find may be anything: only where and as large as expected


@dataclass(slots=True)
class TrackState:
    """One face on its way; `box` is where it is in the newest frame.

    Boxes are in pixels of the view, `velocity` in pixels a second, times in seconds.
    """

    track_id: int
    box: Box
    score: float
    origin: Origin
    confirmed: Box  # the last box that a detection gave
    confirmed_seconds: float
    known: Box  # the last box that a detection or the tracker gave
    known_seconds: float
    strong_seconds: float  # when a find was sure, last
    missed_detections: int = 0
    velocity: tuple[float, float] = (0.0, 0.0)
    tracker: Tracker | None = field(default=None, repr=False)

    @classmethod
    def begun(cls, track_id: int, find: Detection, seconds: float) -> TrackState:
        """Return the track of a face that was just found."""
        return cls(
            track_id,
            find.box,
            find.score,
            Origin.DETECTED,
            confirmed=find.box,
            confirmed_seconds=seconds,
            known=find.box,
            known_seconds=seconds,
            strong_seconds=seconds,
        )

    @property
    def speed(self) -> float:
        """How fast the face moves, in face sizes a second."""
        pixels: float = (self.velocity[0] ** 2 + self.velocity[1] ** 2) ** 0.5
        return pixels / self.confirmed.size

    def expected(self, seconds: float) -> Box:
        """Where the face would be if it kept its velocity for at most a moment."""
        elapsed = min(seconds - self.known_seconds, _VELOCITY_SECONDS)
        return self.known.moved(self.velocity[0] * elapsed, self.velocity[1] * elapsed)

    def gate(self, seconds: float) -> float:
        """How far a find may lie from the expected box, in face sizes."""
        unseen = seconds - self.confirmed_seconds
        return min(_GATE_LIMIT, GATE_SIZES + _GATE_GROWTH_PER_SECOND * unseen)

    def rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Go on in views of another size."""
        self.box = self.box.scaled(x_ratio, y_ratio)
        self.confirmed = self.confirmed.scaled(x_ratio, y_ratio)
        self.known = self.known.scaled(x_ratio, y_ratio)
        self.velocity = self.velocity[0] * x_ratio, self.velocity[1] * y_ratio
        self.tracker = None  # it begins anew, where the face was last

    def confirm(self, found: Detection, seconds: float) -> None:
        """Take the box that was found."""
        elapsed = seconds - self.confirmed_seconds
        if elapsed > 0:
            fastest = _FASTEST_SIZES * found.box.size
            (x, y), (u, v) = self.confirmed.center, found.box.center
            dx, dy = (
                old + _VELOCITY_SHARE * (max(-fastest, min(fastest, way / elapsed)) - old)
                for old, way in zip(self.velocity, (u - x, v - y), strict=True)
            )
            self.velocity = dx, dy
        self.missed_detections = 0
        self.box = self.confirmed = self.known = found.box
        self.confirmed_seconds = self.known_seconds = seconds
        self.score, self.origin, self.tracker = found.score, Origin.DETECTED, None

    def follow(self, box: Box, seconds: float) -> None:
        """Take the box that the tracker gave."""
        self.box = self.known = box
        self.known_seconds, self.origin = seconds, Origin.FOLLOWED

    def hold(self, seconds: float) -> None:
        """Keep the last known box, which grows, and where its course leads for a moment."""
        elapsed = seconds - self.known_seconds
        held = self.known.union(self.expected(seconds))
        self.box, self.origin = held.padded(_GROWTH_PER_SECOND * elapsed), Origin.HELD


AGREEING_LOOKS = 4  # a weak find in so many looks in a row, in one place, is a face
AGREEING_SHARE = 0.8  # of the confidence, that each of them has at least


class LowConfidenceDetections:
    """Remembers the weak finds of the last look, and in how many looks so far each was made.

    confidence  the score from which a find is a face
    """

    def __init__(self, confidence: float) -> None:
        self._lowest = AGREEING_SHARE * confidence
        self._counted: list[tuple[Detection, int]] = []

    def agreed(self, stray: Sequence[Detection]) -> list[Detection]:
        """Return those of this look's finds that several looks in a row have made in one place."""
        weak = [find for find in stray if find.score >= self._lowest]
        before = {
            column: self._counted[row][1]
            for row, column in pair(
                [find.box for find, _ in self._counted],
                [find.box for find in weak],
                [LOW_CONFIDENCE.gate_share * GATE_SIZES] * len(self._counted),
                LOW_CONFIDENCE.size_ratio,
            )
        }
        counted = [(find, 1 + before.get(index, 0)) for index, find in enumerate(weak)]
        self._counted = [(find, looks) for find, looks in counted if looks < AGREEING_LOOKS]
        return [find for find, looks in counted if looks >= AGREEING_LOOKS]

    def rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Go on in views of another size."""
        self._counted = [
            (replace(find, box=find.box.scaled(x_ratio, y_ratio)), looks)
            for find, looks in self._counted
        ]

    def forget(self) -> None:
        """Begin anew: another scene."""
        self._counted = []
