"""ReleasedDetector: a detector that is seldom used, and does not keep what a large image takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector


class ReleasedDetector:
    """Loads a detector again after each large image.

    A network that OpenCV runs keeps the memory that its last image took: 125 MB for 1920x1080
    pixels. Loading one takes about a tenth of the time of that detection.

    Args:
        load: Loads it, from contents in memory: weight files may be replaced during a run.
        kept_px: The longest side of an image after which it is kept.
    """

    def __init__(self, load: Callable[[], Detector], kept_px: int) -> None:
        self._load = load
        self._kept_px = kept_px
        self._detector: Detector | None = load()
        self.default_confidence = self._detector.default_confidence
        self.low_confidence = self._detector.low_confidence

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return what the detector does; raises ModelError when it cannot be loaded again."""
        detector = self._detector or self._load()
        found = detector.detect(image, confidence)
        self._detector = detector if max(image.shape[:2]) <= self._kept_px else None
        return found
