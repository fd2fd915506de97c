"""MOSSE: the fastest filter; gray, does not adapt to changes of scale, loses faces sooner.

Bolme et al., "Visual Object Tracking using Adaptive Correlation Filters", CVPR 2010.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2

from tracker_blur.trackers import OpenCVTracker, Tracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Box
    from tracker_blur.weights.store import Weights


def load(weights: Weights) -> Callable[[], Tracker]:
    """Return a factory of MOSSE trackers; no weights are needed."""
    return lambda: OpenCVTracker(_create)


def _create(_: Box) -> cv2.Tracker:
    # OpenCV's type stubs call the upgraded tracker by the name of the legacy class.
    return cast("cv2.Tracker", cv2.legacy.upgradeTrackingAPI(cv2.legacy.TrackerMOSSE.create()))
