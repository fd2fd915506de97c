"""The tuning parameters of candidates: what a person may look at though nothing is hidden there."""

from __future__ import annotations

from dataclasses import dataclass

from tracker_blur.core.parameters._group import ParameterGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateParameters(ParameterGroup):
    """Which low-confidence detections without a track are worth a look (docs/review.md)."""

    seen_log_odds: float = 0.0
    """A detection is remembered from these odds on, which are those of a coin."""

    min_log_odds: float = 0.9
    """Pooled odds from which a place is a candidate. On the hard clips, a third of those with more
    are heads, and a tenth of those from 0 to 0.9 (docs/review.md)."""

    min_detections: int = 2
    """So many detections make a candidate."""

    link_seconds: float = 3.0
    """Detections within this time of each other may be one candidate: what is nothing often stays
    where it is, and is to be looked at once,"""

    link_iou: float = 0.3
    """if they overlap by this much."""

    covered_iou: float = 0.3
    """A detection that overlaps with a box of a track by this much is what the track is about; so
    is one whose center lies in that box."""

    kept_detections: int = 12
    """So many detections of a candidate are kept, evenly spread."""

    most_a_minute: float = 20.0
    """So many candidates are kept, the likeliest; of a video of less than a minute, too."""
