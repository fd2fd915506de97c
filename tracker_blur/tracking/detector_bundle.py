"""The detectors and trackers that settings ask for, loaded once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal

import cv2

from tracker_blur.classifiers import load_classifier
from tracker_blur.core import plugins
from tracker_blur.settings import FACE, Settings
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.border_detector import BorderDetector
from tracker_blur.tracking.extra_detection import QUARTERS, ExtraDetection, Way
from tracker_blur.tracking.lazy_detectors import LazyDetectors
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.released_detector import ReleasedDetector
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.tracking.target_classes import (
    PLATE,
    TargetClass,
    other_detectors,
    parameters_of,
    target_classes,
)
from tracker_blur.tracking.view_scale import FixedViews, ScaledViews
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.detectors import Detector, LabelledDetector
    from tracker_blur.trackers import Tracker


@dataclass(frozen=True)
class ClassDetector:
    """Detects and tracks the objects of one class.

    Attributes:
        label: Label of their detections and tracks.
        detector: Detects in whole views.
        new_redetector: Makes a redetector, which has a detector of its own: a network takes as
            long to change its input size as to detect.
        confidence: Score from which a detection counts.
        new_tracker: Makes a tracker for one object. None: detect on every frame instead.
        parameters: Tuning parameters.
        classifier: Tells these objects from what the detector takes for one; None: there is none.
        new_detector: Loads another instance of the detector, for turned copies of views; None:
            these objects do not turn.
        others: Other detectors of these objects.
    """

    label: str
    detector: Detector
    new_redetector: Callable[[], Redetector]
    confidence: float
    new_tracker: Callable[[], Tracker] | None
    parameters: TrackingParameters
    classifier: Classifier | None = None
    new_detector: Callable[[], Detector] | None = None
    others: tuple[Detector, ...] = ()

    @property
    def low_confidence(self) -> float:
        """Score from which a detection may extend a track, or be one if the classifier agrees."""
        return min(self.confidence, self.detector.low_confidence)

    @cached_property
    def redetector(self) -> Redetector:
        """The redetector; its networks are loaded when they are first needed."""
        return self.new_redetector()

    @cached_property
    def large_view_detector(self) -> Detector:
        """Another instance of the detector, for large views."""
        assert self.new_detector is not None
        return self.new_detector()

    @cached_property
    def border_detector(self) -> Detector | None:
        """Another instance, for what a still image's border cuts off; None: nothing judges that."""
        if self.classifier is None or self.new_detector is None:
            return None
        larger = ReleasedDetector(self.new_detector, self.parameters.view_scale.kept_px)
        limits = self.parameters.still_images
        return BorderDetector(larger, limits.border_share, limits.border_smallest_px)

    @cached_property
    def extra_detections(self) -> tuple[ExtraDetection, ...]:
        """Other ways to detect faces; none where no classifier can tell what they show."""
        if self.classifier is None or self.new_detector is None:
            return ()
        share = self.parameters.extra_detections.min_share
        # Its images are upright where views lie: another input size.
        lying = ReleasedDetector(self.new_detector, self.parameters.view_scale.kept_px)

        def confidence(detector: Detector, high: float) -> float:
            return detector.low_confidence + share * (high - detector.low_confidence)

        own = confidence(self.detector, self.confidence)
        turned = [
            ExtraDetection(self.detector if quarters == 2 else lying, Way(0, quarters), own)
            for quarters in QUARTERS
        ]
        others = [
            ExtraDetection(other, Way(number, 0), confidence(other, other.default_confidence))
            for number, other in enumerate(self.others, 1)
        ]
        return tuple(extra for one in turned for extra in (*others, one))

    def online_tracker(
        self,
        every_frames: int | Literal["auto"],
        rate: float,
        hold_seconds: float,
        *,
        redetect: bool = False,
        is_first_pass: bool = False,
        skip_frames: bool = False,
    ) -> OnlineTracker:
        """Return a new online tracker.

        Args:
            every_frames: Interval of detection frames.
            rate: Frames per second of the video.
            hold_seconds: How long a lost object stays hidden.
            redetect: Detect again, in a crop, what the detector missed.
            is_first_pass: What is a face is decided later, on whole tracks.
            skip_frames: Leave out all but the detection frames.
        """
        new_tracker, start_score = self.new_tracker, self.confidence
        if new_tracker is None:
            every_frames = 1
        if is_first_pass:
            limits = self.parameters.first_pass
            start_score += limits.start_score_share * (1 - self.confidence)
            if every_frames != 1 and limits.min_interval_frames > 1:
                longest = max(1, int(limits.max_skipped_seconds * rate))
                least = min(limits.min_interval_frames, longest)
                every_frames = max(least, 1 if every_frames == "auto" else every_frames)
            if self.label == PLATE:  # it moves straight: between detections, it is interpolated
                new_tracker = None
        return OnlineTracker(
            self.detector,
            self.confidence,
            new_tracker,
            DetectionSchedule(every_frames, rate, self.parameters.schedule, leaves_out=skip_frames),
            hold_seconds,
            time.perf_counter,
            self.parameters,
            threads=cv2.getNumThreads(),  # the share of the cores that this process has
            redetector=self.redetector if redetect else None,
            extra_detections=self.extra_detections,
            classifier=self.classifier,
            hide_all=is_first_pass,
            start_score=start_score,
            skip_frames=skip_frames,
        )

    def backtracker(self, rate: float) -> Backtracker:
        """Return a new backtracker for a video of this many frames per second."""
        return Backtracker(self.new_tracker, self.redetector, rate, self.parameters)


@dataclass(frozen=True)
class DetectorBundle:
    """Detects and tracks everything that is to be hidden.

    Attributes:
        detectors: One for each target class.
        name: Names of the detectors, for people to read.
        weight_files: Names of the weight files that were read.
    """

    detectors: tuple[ClassDetector, ...]
    name: str
    weight_files: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings, own: LabelledDetector | None = None) -> DetectorBundle:
        """Load what the settings ask for.

        Args:
            settings: what is hidden, the detector, the tracker and the folder of weights.
            own: the caller's detector, instead of the one that the settings name.

        Raises:
            ModelError: a weight file is missing or damaged.
            MissingPackageError: a package is not installed.
            SettingsError: there is no detector for a class.
        """
        weights = Weights(settings.models_folder)
        targets = target_classes(settings, weights, own)
        new_tracker = (
            None
            if settings.tracker == "none"
            else plugins.load("tracker_blur.trackers", settings.tracker).load(weights)
        )
        detectors = []
        for target in targets:
            detector = target.load()
            parameters = parameters_of(target.label, settings.tracking)
            others = other_detectors(target, settings.detector, weights)
            detectors.append(
                ClassDetector(
                    target.label,
                    detector,
                    partial(_redetector, target, others, parameters),
                    detector.default_confidence
                    if settings.confidence is None
                    else settings.confidence,
                    new_tracker,
                    parameters,
                    None if target.is_final else load_classifier(target.label, weights),
                    target.load if target.label == FACE else None,
                    tuple(ReleasedDetector(load, parameters.view_scale.kept_px) for load in others),
                )
            )
        name = ", ".join(dict.fromkeys(target.detector_name for target in targets))
        return cls(tuple(detectors), name, tuple(sorted(weights.used)))

    def views(self, longest_px: int | None, pixel_aspect: Fraction) -> FixedViews | ScaledViews:
        """Return what makes the views of a new video.

        Args:
            longest_px: Longest side; None: it follows the smallest faces, if faces are hidden.
            pixel_aspect: Width of a frame's pixel over its height.
        """
        for one in self.detectors:
            if longest_px is None and one.classifier is not None and one.new_detector is not None:
                return ScaledViews(
                    one.large_view_detector,
                    one.classifier,
                    one.confidence,
                    pixel_aspect,
                    one.parameters,
                )
        return FixedViews(longest_px, pixel_aspect)

    @property
    def confidence(self) -> float:
        """The lowest score from which a detection of any class counts."""
        return min(detector.confidence for detector in self.detectors)


def _redetector(
    target: TargetClass,
    load_others: Sequence[Callable[[], Detector]],
    parameters: TrackingParameters,
) -> Redetector:
    return Redetector(LazyDetectors([target.load_for_crops, *load_others]), parameters)
