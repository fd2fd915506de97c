"""NanoTrack v2: a small Siamese network; needs weights (trackblur models pull nanotrack).

HonglinChu/SiamTrackers, Apache-2.0, run by cv2.TrackerNano.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.errors import ModelError
from tracker_blur.trackers import OpenCVTracker, Tracker
from tracker_blur.weights.store import Weights

_LOST_SCORE = 0.3  # the network's own score, 0 to 1; below it the face is most likely gone


class NanoTracker(OpenCVTracker):
    """OpenCV's NanoTrack, which reports a score with every box."""

    def __init__(self, tracker: cv2.TrackerNano) -> None:
        super().__init__(tracker)
        self._nano = tracker

    def update(self, image: Image) -> Box | None:
        """Return where the face is; None when it is lost or the score is low."""
        box = super().update(image)
        return None if self._nano.getTrackingScore() < _LOST_SCORE else box


def load(weights: Weights) -> Callable[[], Tracker]:
    """Return a factory of NanoTrack trackers.

    Raises ModelError when the weights are missing or OpenCV cannot read them.
    """
    parameters = cv2.TrackerNano.Params()
    parameters.backbone = str(weights.path("nanotrack_backbone_sim.onnx"))
    parameters.neckhead = str(weights.path("nanotrack_head_sim.onnx"))
    try:
        cv2.TrackerNano.create(parameters)
    except cv2.error as error:
        raise ModelError(
            f"{parameters.backbone}: OpenCV cannot load NanoTrack ({error.err}): "
            "get it again with 'trackblur models pull nanotrack'"
        ) from error
    return lambda: NanoTracker(cv2.TrackerNano.create(parameters))
