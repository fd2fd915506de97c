"""Boxes of objects and of false alarms, and what is known of them."""

from __future__ import annotations

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.training.verifier.labels import LabeledCandidates

DISK = Box(60, 40, 100, 80)
ALARM = Box(10, 10, 30, 30)


def boxes(*some: Box) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return boxes as rows."""
    return np.array([box.as_tuple() for box in some], np.float64).reshape(-1, 4)


def known(*objects: Box, alarms: tuple[Box, ...] = ()) -> LabeledCandidates:
    """Return what is known of an image whose objects are all labeled."""
    return LabeledCandidates(
        boxes(*objects),
        boxes(*alarms),
        np.ones(len(alarms)),
        boxes(*objects),
        boxes(),
        is_empty=not objects,
        is_complete=True,
    )
