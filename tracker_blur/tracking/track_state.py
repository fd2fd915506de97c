"""The state of one track, and how detections confirm tracks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracker_blur.core.state import Pixels, incomparable
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.association import match
from tracker_blur.tracking.extra_detection import USUAL, Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.parameters import OnlineParameters
    from tracker_blur.core.state import State
    from tracker_blur.trackers import Tracker


@dataclass(slots=True)
class TrackState:
    """One face as of the newest frame.

    Boxes are in pixels of the view, velocities in pixels per second, times in seconds.

    Attributes:
        track_id: Its identifier.
        box: Where it is in the newest frame.
        score: Score of the last detection.
        origin: Where `box` comes from.
        confirmed: The last box from a detection.
        confirmed_seconds: When that was.
        known: The last box from a detection or the tracker.
        known_seconds: When that was.
        reliable_seconds: When a high-confidence detection, or one that counts as such, last
            confirmed the track.
        parameters: Tuning parameters.
        missed_detections: How many detection frames in a row have missed it.
        velocity: (x, y), smoothed.
        tracker: Tracks it between detections, once it is needed.
        way: How it was last detected.
        log_odds: What the classifier said about some of its detections, the newest last.
        classified_seconds: When it was last asked.
        patch: What its box showed when it was last detected, once that was needed
            (`UnchangedFaces`); None: it was not needed since.
    """

    track_id: int
    box: Box
    score: float
    origin: Origin
    confirmed: Box
    confirmed_seconds: float
    known: Box
    known_seconds: float
    reliable_seconds: float
    parameters: OnlineParameters = field(repr=False)
    missed_detections: int = 0
    velocity: tuple[float, float] = (0.0, 0.0)
    tracker: Tracker | None = field(default=None, repr=False)
    way: Way = USUAL
    log_odds: list[float] = field(default_factory=list)
    classified_seconds: float = -math.inf
    patch: npt.NDArray[np.float32] | None = field(default=None, repr=False)

    @classmethod
    def started(
        cls,
        track_id: int,
        detection: Detection,
        seconds: float,
        parameters: OnlineParameters,
        way: Way = USUAL,
    ) -> TrackState:
        """Return the track of a face that was just detected in this way."""
        return cls(
            track_id,
            detection.box,
            detection.score,
            Origin.DETECTED,
            confirmed=detection.box,
            confirmed_seconds=seconds,
            known=detection.box,
            known_seconds=seconds,
            reliable_seconds=seconds,
            parameters=parameters,
            way=way,
        )

    @property
    def speed(self) -> float:
        """Speed in face sizes per second."""
        pixels: float = (self.velocity[0] ** 2 + self.velocity[1] ** 2) ** 0.5
        return pixels / self.confirmed.size

    def expected(self, seconds: float) -> Box:
        """Return where the face would be had it kept its velocity for a moment."""
        elapsed = min(seconds - self.known_seconds, self.parameters.max_velocity_seconds)
        return self.known.moved(self.velocity[0] * elapsed, self.velocity[1] * elapsed)

    def gate(self, seconds: float) -> float:
        """Return how far, in face sizes, a detection may lie from the expected box."""
        unconfirmed = seconds - self.confirmed_seconds
        growth = self.parameters.gate_growth_sizes_per_second * unconfirmed
        return min(self.parameters.max_gate_sizes, self.parameters.gate_sizes + growth)

    def rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Adapt to views of another size."""
        self.box = self.box.scaled(x_ratio, y_ratio)
        self.confirmed = self.confirmed.scaled(x_ratio, y_ratio)
        self.known = self.known.scaled(x_ratio, y_ratio)
        self.velocity = self.velocity[0] * x_ratio, self.velocity[1] * y_ratio
        self.tracker = None  # another one starts where the face was last

    def state(self) -> State:
        """Return what its future depends on, besides the next images; not its identifier."""
        if self.tracker is not None:
            return incomparable()  # what OpenCV keeps cannot be compared
        return (
            *(self.box.as_tuple(), self.score, self.origin, self.confirmed.as_tuple()),
            *(self.confirmed_seconds, self.known.as_tuple(), self.known_seconds),
            *(self.reliable_seconds, self.missed_detections, self.velocity, self.way),
            *(tuple(self.log_odds), self.classified_seconds),
            Pixels(self.patch),
        )

    def confirm(self, detection: Detection, seconds: float, way: Way = USUAL) -> None:
        """Take the box of a detection that was made in this way."""
        self.way = way
        elapsed = seconds - self.confirmed_seconds
        if elapsed > 0:
            fastest = self.parameters.max_speed_sizes * detection.box.size
            share = self.parameters.velocity_share
            (x, y), (u, v) = self.confirmed.center, detection.box.center
            dx, dy = (
                old + share * (max(-fastest, min(fastest, way / elapsed)) - old)
                for old, way in zip(self.velocity, (u - x, v - y), strict=True)
            )
            self.velocity = dx, dy
        self.missed_detections = 0
        self.box = self.confirmed = self.known = detection.box
        self.confirmed_seconds = self.known_seconds = seconds
        self.score, self.origin, self.tracker = detection.score, Origin.DETECTED, None
        self.patch = None

    def stay(self, seconds: float) -> None:
        """Keep the box of the last detection: its pixels have not changed."""
        self.box = self.known = self.confirmed
        self.known_seconds, self.origin, self.tracker = seconds, Origin.TRACKED, None

    def advance(self, box: Box, seconds: float) -> None:
        """Take the box of the tracker."""
        self.box = self.known = box
        self.known_seconds, self.origin = seconds, Origin.TRACKED

    def hold(self, seconds: float) -> None:
        """Keep the last known box, growing, extended to where the face may be by now.

        It reaches no farther than where a detection would be taken for the face.
        """
        elapsed = seconds - self.known_seconds
        (x, y), (u, v) = self.known.center, self.expected(seconds).center
        reach = self.parameters.max_gate_sizes * self.known.size
        share = min(1.0, reach / max(math.hypot(u - x, v - y), reach))
        held = self.known.union(self.known.moved(share * (u - x), share * (v - y)))
        growth = self.parameters.hold_growth_per_second * elapsed
        self.box = held.padded(min(self.parameters.max_hold_growth_share, growth))
        self.origin = Origin.HELD


def confirm_matching(
    tracks: Sequence[TrackState],
    detections: Sequence[Detection],
    seconds: float,
    gate_share: float,
    max_size_ratio: float,
    way: Way = USUAL,
) -> tuple[list[TrackState], list[Detection]]:
    """Match detections to tracks, which are confirmed; return what is left over of both.

    Args:
        tracks: The tracks.
        detections: The detections, in pixels of the same view.
        seconds: Its time.
        gate_share: Share of each track's gate within which a detection is matched.
        max_size_ratio: Largest ratio between the sizes of a detection and its track.
        way: How the detections were made.
    """
    pairs = match(
        [track.expected(seconds) for track in tracks],
        [detection.box for detection in detections],
        [gate_share * track.gate(seconds) for track in tracks],
        max_size_ratio,
    )
    for row, column in pairs:
        tracks[row].confirm(detections[column], seconds, way)
    rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
    return (
        [track for index, track in enumerate(tracks) if index not in rows],
        [detection for index, detection in enumerate(detections) if index not in columns],
    )


def confirmed_boxes(tracks: Sequence[TrackState], seconds: float) -> list[Box]:
    """Return the boxes of the tracks that a detection in the view of this time has confirmed."""
    return [track.box for track in tracks if track.confirmed_seconds == seconds]
