"""How far away in time a raw track may still change what is hidden in a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tracker_blur.core.parameters import TrackingParameters


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far away in time a raw track may still change what is hidden in a frame.

    Attributes:
        seconds: This far,
        frames: and this many more frames: rates may be low, and windows are rounded to frames.
    """

    seconds: float
    frames: int

    @classmethod
    def of(
        cls, parameters: TrackingParameters, margin_seconds: float, every_frames: int = 0
    ) -> Self:
        """Return the horizon of any piece.

        Args:
            parameters: Tuning parameters.
            margin_seconds: How long before its first and after its last detection a face is hidden.
            every_frames: As for `Target`.
        """
        interval = parameters.schedule.max_interval_seconds
        # A face is hidden this far from a detection: in a gap, or in a margin.
        reach = max(
            parameters.linking.longest_gap_seconds,
            margin_seconds,
            parameters.smoothing.border_seconds,
        )
        # Whether that detection counts depends on others, this far from it.
        support = max(
            parameters.online.low_confidence_seconds
            + interval * parameters.online.agreeing_detections,
            interval * parameters.plausibility.large_window_detections,
        )
        velocity = max(parameters.linking.velocity_seconds, parameters.smoothing.velocity_seconds)
        seconds = reach + support + velocity + smoothing_seconds(parameters)
        # Both are as many detections away, too, and these may be far apart.
        detections = max(
            parameters.online.agreeing_detections, parameters.plausibility.large_window_detections
        )
        frames = gap_frames(parameters, every_frames) + every_frames * detections
        return cls(seconds, frames + _least_frames(parameters))

    @classmethod
    def of_certain(cls, parameters: TrackingParameters, margin_seconds: float) -> Self:
        """Return the horizon of a piece in which all that was seen is hidden, and continues.

        Only the margin of a new face may reach into it.
        """
        limits = parameters.smoothing
        reach = max(margin_seconds, limits.border_seconds) + limits.velocity_seconds
        return cls(reach + smoothing_seconds(parameters), _least_frames(parameters))


def gap_frames(parameters: TrackingParameters, every_frames: int) -> int:
    """Return how long a gap may be, in frames, that is filled as the detector ran so seldom."""
    return every_frames * parameters.linking.min_missed_detections


def smoothing_seconds(parameters: TrackingParameters) -> float:
    """Return from how far away a box may change a smoothed one."""
    limits = parameters.smoothing
    return limits.median_half_window_seconds + 3 * limits.half_window_seconds


def _least_frames(parameters: TrackingParameters) -> int:
    return parameters.smoothing.min_margin_frames + parameters.online.agreeing_detections
