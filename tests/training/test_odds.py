"""Metrics of log odds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tracker_blur.training.odds import (
    expected_calibration_error,
    roc_auc,
    score_odds,
    threshold_of_recall,
)


def test_the_area_under_the_roc_curve_counts_pairs() -> None:
    odds = np.array([3.0, 1.0, 2.0, 0.0])
    assert roc_auc(odds, np.array([True, True, False, False])) == pytest.approx(0.75)
    assert roc_auc(np.zeros(4), np.array([True, True, False, False])) == pytest.approx(0.5)
    assert math.isnan(roc_auc(odds, np.ones(4, bool)))


def test_thresholds_keep_the_recall() -> None:
    odds = np.arange(1000.0)
    assert threshold_of_recall(odds, 0.995) == 5.0
    assert threshold_of_recall(odds, 0.98) == 20.0
    assert threshold_of_recall(odds[:10], 0.995) == 0.0
    assert math.isnan(threshold_of_recall(odds[:0], 0.99))


def test_false_positives_are_the_others_that_reach_the_thresholds() -> None:
    odds = np.concatenate((np.arange(200.0), np.array([-1.0, 1.5, 3.5, 500.0])))
    is_object = np.arange(204) < 200
    scores = score_odds(odds, is_object)
    assert (scores.objects, scores.others) == (200, 4)
    assert scores.thresholds == (1.0, 2.0, 4.0)
    assert scores.recalls == (0.995, 0.99, 0.98)
    assert scores.false_positives == (0.75, 0.5, 0.25)
    part = score_odds(odds[:4], is_object[:4], (1.0, 3.0))
    assert part.recalls == (0.75, 0.25)
    assert math.isnan(part.false_positives[0])


def test_odds_that_are_true_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 40_000)
    is_object = rng.random(40_000) < 1 / (1 + np.exp(-odds))
    stated = odds + np.log(5)  # they were drawn for equal numbers, and count five to one
    assert expected_calibration_error(stated, is_object) < 0.01
    assert expected_calibration_error(5 * stated, is_object) > 0.03


def test_objects_count_five_times_whatever_their_number() -> None:
    few = expected_calibration_error(np.array([2.0, -2.0]), np.array([True, False]))
    odds, is_object = np.array([2.0] * 9 + [-2.0]), np.array([True] * 9 + [False])
    assert expected_calibration_error(odds, is_object) == pytest.approx(few)
    missed = expected_calibration_error(np.array([-99.0, -99.0]), np.array([True, False]))
    assert missed == pytest.approx(5 / 6)
