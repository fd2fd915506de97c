"""The tuning values of reviews: what counts as a doubt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtParameters:
    """When a place is doubtful, and how much; sizes are those of `Box.size`.

    Chosen on the ten hard clips: what a reviewer sees there is listed in docs/review.md.
    """

    border_sizes: float = 0.35
    """A face this near to the border leaves the frame."""

    cut_seconds: float = 0.12
    """A track that ends this near to a cut, or to an end of the video, ends with the scene."""

    near_seconds: float = 0.2
    """Another track is looked for this long after an end, or before a start."""

    near_share: float = 0.5
    """Where another track holds this share of the last box, it continues there."""

    high_score: float = 0.7
    """A detection of this score or more has a high confidence: its track is a face."""

    long_seconds: float = 1.0
    """A track of this length was not there by chance: its ends count fully."""

    large_share: float = 0.08
    """From this share of the frame's shorter side on, a face is easily recognized."""

    short_seconds: float = 0.4
    """Detections within a shorter time make a short track."""

    gap_seconds: float = 0.1
    """A track without boxes for longer, within a scene, has a gap."""

    join_seconds: float = 0.7
    """Longer stretches without a detection, filled between two parts, are unsure joins."""

    low_score: float = 0.3
    """A detection of this score may be anything."""

    face_score: float = 0.5
    """Tracks whose best detection scores less may be no face; hiding them is no risk."""

    candidate_risk: float = 0.5
    """The risk of a large place that surely shows a face, of those that became no track: most of
    them show none."""

    same_place_iou: float = 0.3
    """A box with more overlap is about the same place."""

    covered_padding: float = 0.1
    """What is hidden is larger than a box by this share on each side at least; usually by 0.3."""

    covered_share: float = 0.7
    """Where hidden tracks hold this share of a place together, it is not seen."""

    crossing_iou: float = 0.25
    """Two boxes with more overlap cross."""

    least_risk: float = 0.12
    """Less risky places are not listed."""

    most_a_minute: float = 30.0
    """Of the places that are least risky, only as many are listed; of a short video, this many."""
