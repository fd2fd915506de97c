"""Metrics of answers that are log odds: do they separate objects from others, and are they true?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import rankdata

Odds = npt.NDArray[np.float64]

RECALLS = (0.995, 0.99, 0.98)
"""Shares of objects that are kept where false positives are counted."""

PRIOR_ODDS = 5.0
"""Objects for each other detection, for which odds are calibrated. A face that stays visible costs
more than a wall that is hidden."""

_BINS = 15


@dataclass(frozen=True, slots=True)
class OddsScores:
    """How well log odds separate objects from others.

    Attributes:
        objects: Number of objects.
        others: Number of others.
        auc: Area under the ROC curve, 0 to 1; nan without objects or others.
        thresholds: Log odds; unless given, those that each of RECALLS of the objects reach.
        recalls: Share of the objects that reach each of these thresholds; nan without any.
        false_positives: Share of the others that reach each of them; nan without any.
        calibration_error: Expected calibration error, 0 to 1.
    """

    objects: int
    others: int
    auc: float
    thresholds: tuple[float, ...]
    recalls: tuple[float, ...]
    false_positives: tuple[float, ...]
    calibration_error: float


def score_odds(
    odds: Odds, is_object: npt.NDArray[np.bool_], thresholds: tuple[float, ...] | None = None
) -> OddsScores:
    """Return the scores of log odds.

    Args:
        odds: The log odds, shape (n,).
        is_object: What is an object, shape (n,).
        thresholds: Where recall and false positives are counted; None: at RECALLS.
    """
    of_objects, of_others = odds[is_object], odds[~is_object]
    if thresholds is None:
        thresholds = tuple(threshold_of_recall(of_objects, recall) for recall in RECALLS)
    return OddsScores(
        len(of_objects),
        len(of_others),
        roc_auc(odds, is_object),
        thresholds,
        tuple(_reached(of_objects, threshold) for threshold in thresholds),
        tuple(_reached(of_others, threshold) for threshold in thresholds),
        expected_calibration_error(odds, is_object),
    )


def _reached(odds: Odds, threshold: float) -> float:
    return float((odds >= threshold).mean()) if len(odds) else math.nan


def roc_auc(odds: Odds, is_object: npt.NDArray[np.bool_]) -> float:
    """Return how often an object has higher odds than another candidate; nan without both."""
    count, others = int(is_object.sum()), int((~is_object).sum())
    if not count or not others:
        return math.nan
    ranks = rankdata(odds)
    return float((ranks[is_object].sum() - count * (count + 1) / 2) / (count * others))


def threshold_of_recall(of_objects: Odds, recall: float) -> float:
    """Return the highest log odds that this share of the objects reach; nan without objects."""
    if not len(of_objects):
        return math.nan
    missed = math.floor((1 - recall) * len(of_objects) + 1e-9)
    return float(np.sort(of_objects)[missed])


def prior_weights(is_object: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return weights, of sum 1, with which objects count as PRIOR_ODDS says; shape (n,)."""
    count, others = max(1, int(is_object.sum())), max(1, int((~is_object).sum()))
    weights = np.where(is_object, PRIOR_ODDS / count, 1 / others)
    return np.asarray(weights / weights.sum(), np.float64)


def expected_calibration_error(odds: Odds, is_object: npt.NDArray[np.bool_]) -> float:
    """Return by how much probabilities differ from shares of objects, over 15 equal bins.

    After Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, arXiv
    1706.04599. Objects count as PRIOR_ODDS says, however many there are: how many false detections
    a video has depends on the video.
    """
    if not len(odds):
        return math.nan
    weights = prior_weights(is_object)
    probabilities = expit(odds)
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights * (probabilities - is_object), _BINS)
    return float(np.abs(gaps).sum())
