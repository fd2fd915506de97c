"""Calibration of answers into log odds."""

from __future__ import annotations

import numpy as np
import pytest

from tracker_blur.training.odds import expected_calibration_error
from tracker_blur.training.verifier.calibration import Calibration, fit_calibration


def test_answers_that_are_too_large_and_shifted_become_log_odds() -> None:
    rng = np.random.default_rng(0)
    is_object = rng.random(40_000) < 0.2
    # Two normal distributions of variance 1, one apart: for equal numbers, the log odds are
    # 1 x value - 0.5; for five objects to one other, log(5) more.
    values = rng.normal(is_object * 1.0, 1.0)
    answers = 3 * values + 7
    found = fit_calibration(answers, is_object)
    assert found.scale == pytest.approx(1 / 3, abs=0.02)
    assert found.offset == pytest.approx(np.log(5) - 0.5 - 7 / 3, abs=0.1)
    odds = found.scale * answers + found.offset
    assert expected_calibration_error(odds, is_object) < 0.02


def test_answers_that_separate_everything_stay_finite() -> None:
    found = fit_calibration(np.array([-1.0, 1.0]), np.array([False, True]))
    assert 1 < found.scale <= 20
    assert np.isfinite(found.offset)


@pytest.mark.parametrize("is_object", [[], [True], [False]])
def test_without_both_kinds_there_is_nothing_to_fit(is_object: list[bool]) -> None:
    answers = np.zeros(len(is_object))
    assert fit_calibration(answers, np.array(is_object, bool)) == Calibration(1.0, 0.0)
