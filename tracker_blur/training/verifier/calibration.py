"""Calibration: a scale and an offset that make a network's answers log odds.

After Platt, "Probabilistic Outputs for Support Vector Machines", 1999. The odds are those for
PRIOR_ODDS objects to each other detection, whatever their numbers are in the validation images, so
that they mean the same after each training. If the odds beforehand are known, add their logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from tracker_blur.training.odds import prior_weights

if TYPE_CHECKING:
    import numpy.typing as npt

    from tracker_blur.training.odds import Odds

_SCALES = (0.05, 20.0)  # limits for answers that separate everything


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes log odds of a network's answers: scale x answer + offset."""

    scale: float = 1.0
    offset: float = 0.0


def fit_calibration(answers: Odds, is_object: npt.NDArray[np.bool_]) -> Calibration:
    """Return the calibration with the least logarithmic loss; none without both kinds.

    Args:
        answers: A network's answers on validation crops, shape (n,).
        is_object: Which of the crops show an object, shape (n,).
    """
    if is_object.all() or not is_object.any():
        return Calibration()
    weights, signs = prior_weights(is_object), np.where(is_object, 1.0, -1.0)

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        margins = signs * (parameters[0] * answers + parameters[1])
        return float(weights @ np.logaddexp(0.0, -margins))

    fitted = minimize(loss, (1.0, 0.0), method="L-BFGS-B", bounds=(_SCALES, (None, None)))
    return Calibration(float(fitted.x[0]), float(fitted.x[1]))
