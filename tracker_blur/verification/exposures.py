"""What verification finds in a file: exposures, faces visible by choice, the ends of tracks."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tracker_blur.core.times import format_seconds
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.core.box import Box
    from tracker_blur.core.rules import Reason

Finding = Literal["exposed", "look here"]
"""What a place shows: surely a face, or perhaps one, at which a person should look."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """One visible face in one frame.

    Attributes:
        frame: number of the frame, from 0.
        time: seconds since the first frame, exact.
        track_id: the track of this face, if there is one nearby.
        box: pixels of the full-size upright frame.
        score: the detector's, 0 to 1.
        detector: name of the detector.
        visible: how much of the face is visible, 0 to 1, by the evidence.
        crop: JPEG of the face and its surroundings; None for most frames of a long run.
        log_odds: that it is a face, of the classifier; None without one.
    """

    frame: int
    time: Fraction
    track_id: int | None
    box: Box
    score: float
    detector: str
    visible: float
    crop: bytes | None = None
    log_odds: float | None = None

    @property
    def time_code(self) -> str:
        """Time since the first frame, such as "0:01:02.040"."""
        return format_seconds(self.time)


@dataclass(frozen=True, slots=True)
class ExposureRun:
    """One place that shows a face, or may show one, in successive frames; never empty.

    Attributes:
        exposures: one for each frame, ascending.
        finding: what it shows.
        log_odds: that it is a face, pooled over its frames; None without a classifier.
        label: the target class.
    """

    exposures: tuple[Exposure, ...]
    finding: Finding = "exposed"
    log_odds: float | None = None
    label: str = FACE

    @property
    def place_id(self) -> str:
        """Its name, the same in each verification of the file with the same options.

        It is made of its first frame and its center there, such as "f120x340y54".
        """
        x, y = self.first.box.center
        return f"f{self.first.frame}x{x:.0f}y{y:.0f}"

    @property
    def span(self) -> str:
        """When it is seen, such as "0:00:04.800 to 0:00:05.000"."""
        if self.first is self.last:
            return self.first.time_code
        return f"{self.first.time_code} to {self.last.time_code}"

    @property
    def chance(self) -> float:
        """How likely it is a face, 0 to 1, if there is a classifier."""
        return 0.5 if self.log_odds is None else 1 / (1 + math.exp(-self.log_odds))

    @property
    def first(self) -> Exposure:
        """The first exposure."""
        return self.exposures[0]

    @property
    def last(self) -> Exposure:
        """The last exposure."""
        return self.exposures[-1]

    @property
    def worst(self) -> Exposure:
        """The exposure with the highest score, among those with a crop."""
        with_crop = [exposure for exposure in self.exposures if exposure.crop] or self.exposures
        return max(with_crop, key=lambda exposure: exposure.score)

    @property
    def track_id(self) -> int | None:
        """The track of most exposures."""
        known = Counter(face.track_id for face in self.exposures if face.track_id is not None)
        return known.most_common(1)[0][0] if known else None


@dataclass(frozen=True, slots=True)
class LeftVisible:
    """A face that is visible by choice in successive frames.

    Attributes:
        reason: why it is.
        first: time of its first frame, in seconds since the file's first one.
        last: of its last frame.
        frames: in how many it is seen.
        box: where it is in the last one, in pixels.
        track_id: its track; None: it has none.
    """

    reason: Reason
    first: Fraction
    last: Fraction
    frames: int
    box: Box
    track_id: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "reason": self.reason,
            "track": self.track_id,
            "from": format_seconds(self.first),
            "to": format_seconds(self.last),
            "frames": self.frames,
            "box": [round(edge, 1) for edge in self.box.as_tuple()],
        }


@dataclass(frozen=True, slots=True)
class TrackEndView:
    """What the output shows where a track begins or ends.

    Attributes:
        track_id: the track.
        frame: number of the frame.
        moment: "before", "first", "last" or "after".
        crop: JPEG of the face's place and its surroundings.
    """

    track_id: int
    frame: int
    moment: str
    crop: bytes
