"""What a classifier says of a track's detections, pooled to the odds that the track is a face.

A face that turns away, or is covered for a while, is still a face, so the best crops decide.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracker_blur.core.parameters import ClassificationParameters


def pooled_log_odds(log_odds: Sequence[float], parameters: ClassificationParameters) -> float:
    """Return the log odds that a track is a face: the mean of the highest of its crops.

    Args:
        log_odds: Of each crop, in any order; nan for none.
        parameters: Tuning parameters.
    """
    if not len(log_odds):
        return math.nan
    count = max(parameters.pooled_crops, math.ceil(parameters.pooled_share * len(log_odds)))
    return float(np.mean(np.sort(log_odds)[-count:]))


def is_face(
    log_odds: Sequence[float], *, has_sure_detection: bool, parameters: ClassificationParameters
) -> bool:
    """Return whether a track may be a face, as far as the classifier says; in doubt, it is one.

    Args:
        log_odds: Of each crop, in any order; none if no classifier was asked.
        has_sure_detection: Whether a detector is sure of any of its detections.
        parameters: Tuning parameters.
    """
    needed = parameters.min_sure_log_odds if has_sure_detection else parameters.min_log_odds
    return not pooled_log_odds(log_odds, parameters) < needed


class Evidence:
    """The log odds of all classified detections of a video, by track."""

    def __init__(self) -> None:
        self._log_odds: defaultdict[int, array[float]] = defaultdict(lambda: array("f"))

    def add(self, track_id: int, log_odds: float) -> None:
        """Remember what the classifier says of one detection of a track."""
        self._log_odds[track_id].append(log_odds)

    def of(self, track_ids: Iterable[int]) -> list[float]:
        """Return the log odds of all classified detections of some tracks."""
        return [one for track_id in track_ids for one in self._log_odds.get(track_id, ())]
