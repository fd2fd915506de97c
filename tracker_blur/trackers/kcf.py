"""KCF: kernelized correlation filter; quick, does not follow scale.

Henriques et al., "High-Speed Tracking with Kernelized Correlation Filters", TPAMI 2015.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2

from tracker_blur.trackers import OpenCVTracker, Tracker
from tracker_blur.weights.store import Weights


def load(weights: Weights) -> Callable[[], Tracker]:
    """Return a factory of KCF trackers; no weights are needed."""
    return lambda: OpenCVTracker(cv2.TrackerKCF.create())
