"""What a classifier says about a track's detections, pooled to the odds that the track is a face.

A face that turns away, or is covered for a while, is still a face, so the best crops decide.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tracker_blur.core.parameters import ClassificationParameters
    from tracker_blur.core.tracks import Track


def pooled_log_odds(log_odds: Sequence[float], parameters: ClassificationParameters) -> float:
    """Return the log odds that a track is a face: the mean of the highest of its crops.

    Args:
        log_odds: Of each crop, in any order; nan for none.
        parameters: Tuning parameters.
    """
    if not len(log_odds):
        return math.nan
    count = _pooled_count(len(log_odds), parameters)
    return float(np.mean(np.sort(log_odds)[-count:]))


def _pooled_count(crop_count: int, parameters: ClassificationParameters) -> int:
    return max(parameters.pooled_crops, math.ceil(parameters.pooled_share * crop_count))


def needed_log_odds(
    size_share: float,
    view_px: float,
    score: float,
    confidence: float,
    parameters: ClassificationParameters,
    crop_count: int = 1,
) -> float:
    """Return the log odds from which a track is hidden; in doubt, it is.

    The odds rise with the pixels that the classifier had of it: of more, it knows more. They rise
    again with its share of the frame, for hiding what is no face costs that much, and still more
    if they are the best of many crops. Where a share of the crops decides, more crops change
    nothing: a face must not be shown because it is seen for hours. The odds fall with the score,
    the less so the larger the face is.

    Args:
        size_share: Its size (`Box.size`), as a share of the frame's shorter side.
        view_px: Its size in the views from which its crops were cut, in pixels; where these enlarge
            the frame, in pixels of the frame.
        score: Of its detection, or its `representative_score`, 0 to 1.
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
        crop_count: Of how many crops the best ones were pooled.
    """
    sizes = parameters.small_px, parameters.clear_px
    odds = parameters.small_log_odds, parameters.clear_log_odds
    lowest = float(np.interp(view_px, sizes, odds))
    largeness = min(1.0, size_share / parameters.large_share)
    needed = lowest + largeness * (parameters.large_log_odds - lowest)
    pooled = _pooled_count(crop_count, parameters)
    if largeness == 1 and crop_count > pooled:
        needed += parameters.doubling_log_odds * math.log2(crop_count / pooled)
    uncertain = parameters.certain_score_share * confidence
    above, most = score - uncertain, 1 - uncertain
    certainty = min(1.0, max(0.0, above / most)) if most > 0 else float(above >= 0)
    return needed - certainty * (
        parameters.certain_log_odds
        + largeness * (parameters.large_certain_log_odds - parameters.certain_log_odds)
    )


def representative_score(
    scores: npt.NDArray[np.floating], parameters: ClassificationParameters
) -> float:
    """Return one score for a track: between the mean and the best of its detections'.

    Args:
        scores: Of its detections, at least one.
        parameters: Tuning parameters.
    """
    share = parameters.mean_score_share
    return float(share * scores.mean() + (1 - share) * scores.max())


class ClassifiedCrop(NamedTuple):
    """What the classifier says about one detection.

    Attributes:
        track_id: Identifier of its track.
        log_odds: The logarithm of the odds that it shows a face.
        view_px: Its size in the view from which the crop was cut, in pixels.
    """

    track_id: int
    log_odds: float
    view_px: float


class ClassifiedRows(NamedTuple):
    """The classified rows of a raw track.

    Attributes:
        rows: Their numbers, shape (m,).
        log_odds: What the classifier says, shape (m,).
        view_px: Their sizes in the views from which the crops were cut, shape (m,).
    """

    rows: npt.NDArray[np.intp]
    log_odds: npt.NDArray[np.float64]
    view_px: npt.NDArray[np.float64]


class Evidence:
    """What the classifier says about all classified detections of a video, by track."""

    def __init__(self) -> None:
        self._log_odds: defaultdict[int, array[float]] = defaultdict(lambda: array("f"))
        self._view_px: defaultdict[int, array[float]] = defaultdict(lambda: array("f"))
        self._frames: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))

    def add(self, crop: ClassifiedCrop, frame: int = 0) -> None:
        """Remember what the classifier says about one detection of a track; frames ascend."""
        self._log_odds[crop.track_id].append(crop.log_odds)
        self._view_px[crop.track_id].append(crop.view_px)
        self._frames[crop.track_id].append(frame)

    def of(self, track_ids: Iterable[int]) -> list[float]:
        """Return the log odds of all classified detections of some tracks."""
        return [one for track_id in track_ids for one in self._log_odds.get(track_id, ())]

    def view_px(self, track_ids: Iterable[int]) -> float:
        """Return the median size of some tracks in the views of their crops; 0: none has any."""
        sizes = [one for track_id in track_ids for one in self._view_px.get(track_id, ())]
        return float(np.median(sizes)) if sizes else 0.0

    def in_rows(self, track: Track) -> ClassifiedRows:
        """Return which rows of a raw track were classified, and how."""
        track_id = track.track_id
        frames = np.array(self._frames.get(track_id, ()), int)
        known = np.isin(frames, track.frames)
        return ClassifiedRows(
            np.searchsorted(track.frames, frames[known]),
            np.array(self._log_odds.get(track_id, ()), float)[known],
            np.array(self._view_px.get(track_id, ()), float)[known],
        )

    def before(self, frame: int, start: int = 0) -> Evidence:
        """Return what was said about detections in earlier frames than this one.

        Frames count from `start`: those before it are negative.
        """
        part = Evidence()
        for track_id, frames in self._frames.items():
            count = bisect_left(frames, frame)
            if count:
                part._frames[track_id] = array("i", (one - start for one in frames[:count]))
                part._log_odds[track_id] = self._log_odds[track_id][:count]
                part._view_px[track_id] = self._view_px[track_id][:count]
        return part

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget what was said about all other tracks."""
        for track_id in self._frames.keys() - track_ids:
            del self._log_odds[track_id], self._view_px[track_id], self._frames[track_id]


def best_log_odds(
    track_ids: Collection[int], evidence: Evidence, parameters: ClassificationParameters
) -> float:
    """Return the log odds that a face linked from several tracks is one.

    They are those of all crops, or of the one track's that has the best, if it has enough of them:
    a long false part must not outvote the face that it was linked to.
    """
    parts = [evidence.of([track_id]) for track_id in track_ids]
    whole = [one for part in parts for one in part]
    enough = [part for part in parts if len(part) >= parameters.pooled_crops]
    return max(pooled_log_odds(part, parameters) for part in (whole, *enough))
