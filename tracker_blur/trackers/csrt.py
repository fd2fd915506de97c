"""CSRT: discriminative correlation filter, the default; accurate, adapts to changes of scale.

Lukežič et al., "Discriminative Correlation Filter with Channel and Spatial Reliability", CVPR
2017. OpenCV's defaults (template of 200 pixels, segmentation, 33 scales) cost more than anything
else in the program and track a face no better; docs/tracking.md has the figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from tracker_blur.trackers import OpenCVTracker, Tracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Box
    from tracker_blur.weights.store import Weights

_MIN_HOG_PX = 24.0
"""Of smaller faces, CSRT's cells are one or two pixels wide. Their gradients (HOG) take half of its
time; with colors and gray levels alone, as many faces are exposed (docs/decisions/0087)."""


def load(weights: Weights) -> Callable[[], Tracker]:
    """Return a factory of CSRT trackers; no weights are needed."""
    return lambda: OpenCVTracker(_create)


def _create(box: Box) -> cv2.Tracker:
    return cv2.TrackerCSRT.create(_parameters(box))


def _parameters(box: Box) -> cv2.TrackerCSRT.Params:
    parameters = cv2.TrackerCSRT.Params()
    parameters.template_size = 64
    parameters.use_segmentation = False
    parameters.number_of_scales = 9
    parameters.use_hog = box.size >= _MIN_HOG_PX
    return parameters
