"""How large the views of a video are: as large as its smallest faces need, and no larger.

A detector sees faces from about 10 pixels. In the usual view of a large frame, those far away are
smaller. So the first frame of each scene, and one now and then, is also seen at a large size, and
the smallest faces there decide the size of the views that follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.core.frame import default_view_px, view_size
from tracker_blur.tracking.scene_cuts import Change, CutDetector

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Frame, Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.detectors import Detector


@dataclass(frozen=True)
class FixedViews:
    """Views of one size.

    Attributes:
        longest_px: Longest side; None: the default of the frame's size.
        pixel_aspect: Width of a frame's pixel over its height.
    """

    longest_px: int | None
    pixel_aspect: Fraction

    def view(self, frame: Frame) -> Image:
        """Return the view of a frame."""
        return frame.view(view_size(frame.size, self.longest_px, self.pixel_aspect))


class ScaledViews:
    """Views whose size follows the smallest faces.

    Args:
        detector: Sees the large views; used for nothing else, so that its input size never changes.
        classifier: Tells faces from what the detector takes for one.
        confidence: Score from which a detection is a face.
        pixel_aspect: Width of a frame's pixel over its height.
        parameters: Tuning parameters.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        confidence: float,
        pixel_aspect: Fraction,
        parameters: TrackingParameters,
    ) -> None:
        self._detector = detector
        self._classifier = classifier
        self._confidence = confidence
        self._pixel_aspect = pixel_aspect
        self._parameters = parameters.view_scale
        self._cuts = CutDetector(parameters.scene_cuts)
        self._longest_px = 0  # 0: the default
        self._large_view_seconds = -math.inf
        self._needed_seconds = -math.inf

    def view(self, frame: Frame) -> Image:
        """Return the view of a video's next frame."""
        default_px = default_view_px(frame.size)
        self._longest_px = max(self._longest_px, default_px)
        image = self._view(frame, self._longest_px)
        is_cut = self._cuts.change(image) is not Change.NONE
        elapsed = frame.seconds - self._large_view_seconds
        if not is_cut and elapsed < self._parameters.interval_seconds:
            return image
        self._large_view_seconds = frame.seconds
        wanted = max(default_px, self._wanted_px(frame))
        if wanted >= self._longest_px:
            self._needed_seconds = frame.seconds
        elif not is_cut and frame.seconds - self._needed_seconds < self._parameters.hold_seconds:
            return image
        if wanted != self._longest_px:
            self._longest_px = wanted
            image = self._view(frame, wanted)
        return image

    def _wanted_px(self, frame: Frame) -> int:
        """Return the longest side of a view that shows the frame's smallest faces large enough."""
        limits = self._parameters
        large = self._view(frame, limits.large_view_px)
        longest_px = max(large.shape[:2])
        found = [
            detection
            for detection in self._detector.detect(large, self._confidence)
            if detection.box.size >= limits.smallest_px
        ]
        found.sort(key=lambda detection: detection.box.size)
        for number, detection in enumerate(found):
            is_unknown = number >= limits.max_detections  # so the next one counts as a face
            if is_unknown or self._is_face(large, detection.box):
                ratio = limits.wanted_px / detection.box.size
                steps = (step for step in limits.steps_px if step >= ratio * longest_px)
                return int(min(longest_px, next(steps, longest_px)))
        return 0

    def _is_face(self, image: Image, box: Box) -> bool:
        (log_odds,) = self._classifier.log_odds(image, [box]).tolist()
        return bool(log_odds >= self._parameters.min_log_odds)

    def _view(self, frame: Frame, longest_px: int) -> Image:
        return frame.view(view_size(frame.size, longest_px, self._pixel_aspect))
