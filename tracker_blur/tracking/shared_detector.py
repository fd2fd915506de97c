"""SharedDetector: one network for several target classes, run once for each image."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.detectors import detect_with_overlap

if TYPE_CHECKING:
    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector

_REMEMBERED = 4  # sizes at which a still image is seen


class SharedDetector:
    """A detector that several target classes ask for the same images, one after the other.

    It remembers the last few images. Any number of threads may call it.
    """

    takes_overlap = True

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._lock = threading.Lock()
        self._known: OrderedDict[object, tuple[Image, list[Detection]]] = OrderedDict()
        self.default_confidence = detector.default_confidence
        self.low_confidence = detector.low_confidence

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the objects of all classes with a score of at least `confidence`."""
        key = image.shape, confidence, overlap
        with self._lock:
            seen, detections = self._known.get(key, (None, []))
            if seen is None or not np.array_equal(seen, image):
                detections = detect_with_overlap(self._detector, image, confidence, overlap)
                self._known[key] = image.copy(), detections
                self._known.move_to_end(key)
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            return list(detections)
