"""CSRT: discriminative correlation filter, the default; accurate, adapts to changes of scale.

Lukežič et al., "Discriminative Correlation Filter with Channel and Spatial Reliability", CVPR
2017. OpenCV's defaults (template of 200 pixels, segmentation, 33 scales) cost more than anything
else in the program and track a face no better; docs/tracking.md has the figures.

What an update costs does not depend on the image's size, but on the face's: CSRT divides a face of
over 1200 pixels into cells of 4x4, and smaller ones into ever smaller cells, which take up to four
times as long. So small faces are tracked in a crop that enlarges them until the cells are 3x3,
which track them as well as those of 1x1 and 2x2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from tracker_blur.trackers import OpenCVTracker
from tracker_blur.trackers._crops import CropTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.trackers import Tracker
    from tracker_blur.weights.store import Weights

_SMALL_AREA_PX = 1200
_SMALL_FACE_PX = 31.0
"""The size of a small face in its crop: cells of 3x3 are those from 800 to 1200 pixels."""


def load(weights: Weights) -> Callable[[], Tracker]:
    """Return a factory of CSRT trackers; no weights are needed."""
    return CSRT


class CSRT:
    """Tracks a face: a small one in an enlarged crop, any other one in the image itself."""

    def __init__(self) -> None:
        self._tracker: Tracker | None = None

    def start(self, image: Image, box: Box) -> None:
        """Learn the face. A box that is too small or outside the image is lost from the start."""
        is_small = box.area <= _SMALL_AREA_PX
        self._tracker = (
            CropTracker(_create, _SMALL_FACE_PX) if is_small else OpenCVTracker(_create())
        )
        self._tracker.start(image, box)

    def update(self, image: Image) -> Box | None:
        """Return where the face is in this image; None when it is lost."""
        return None if self._tracker is None else self._tracker.update(image)


def _create() -> cv2.Tracker:
    parameters = cv2.TrackerCSRT.Params()
    parameters.template_size = 64
    parameters.use_segmentation = False
    parameters.number_of_scales = 9
    return cv2.TrackerCSRT.create(parameters)
