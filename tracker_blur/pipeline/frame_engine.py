"""Frames as they come: still images, and videos whose frames are read only once.

These take one pass: detect and track, then redact.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from tracker_blur.core.box import Detection
from tracker_blur.core.frame import Frame, RedactedFrame, VideoInfo
from tracker_blur.core.zones import ZONE
from tracker_blur.errors import SettingsError
from tracker_blur.pipeline.chosen_people import ChosenPeople
from tracker_blur.pipeline.rules import apply_to_stills, apply_to_video, check_rules
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.lookahead import Delay, look_ahead
from tracker_blur.tracking.observation import VideoObserver
from tracker_blur.tracking.stills import detect_stills

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracker_blur.core.report import Report
    from tracker_blur.core.tracks import Face
    from tracker_blur.detectors import LabelledDetector
    from tracker_blur.pipeline.rules import FrameWithFaces
    from tracker_blur.settings import Settings
    from tracker_blur.verification.careful_search import CarefulSearch


class FrameEngine:
    """Detectors, trackers and redaction methods, loaded once for any number of frames.

    Detectors and trackers are loaded when they are first needed, which may raise ModelError or
    MissingPackageError. Hiding known faces needs neither.

    Attributes:
        rules: The zones and limits of the settings.
        people: Those whom the settings choose.

    Args:
        settings: how faces are detected, tracked and hidden.
        detector: the caller's own, instead of the one that the settings name.

    Raises:
        SettingsError: the redaction method does not work with the settings.
    """

    def __init__(self, settings: Settings, detector: LabelledDetector | None = None) -> None:
        self._settings = settings
        self._detector = detector
        self._redactor = FrameRedactor(settings)
        self.rules = settings.rules()
        self.people = ChosenPeople(settings, self.rules, lambda: self.bundle)

    @cached_property
    def bundle(self) -> DetectorBundle:
        """The detectors and trackers."""
        return DetectorBundle.of(self._settings, self._detector)

    @cached_property
    def careful_search(self) -> CarefulSearch:
        """Searches the result of a careful run."""
        from tracker_blur.verification.careful_search import CarefulSearch

        return CarefulSearch(self._settings, self._detector)

    def single_pass(
        self, info: VideoInfo, report: Report | None = None
    ) -> Callable[[Iterable[Frame]], Iterator[FrameWithFaces]]:
        """Return a function that gives the frames of one input with their faces, in one pass.

        Faces are tracked through a video. Each still image is searched at several scales, and again
        in a careful run.

        Args:
            info: of the input.
            report: counts what a careful run adds.

        Raises:
            SettingsError: a careful run needs a video's whole result, and this is one pass; or a
                zone lies outside of the frame.
        """
        if report is None:  # the library's frames; those of files are checked when they are opened
            check_rules(self.rules, info, "the image")
        if not info.is_moving:
            return lambda frames: self._stills(frames, report)
        if self._settings.careful:
            raise SettingsError(
                "searches the whole result, and frames are redacted here as they come: leave it "
                "out, or redact a file",
                setting="careful",
            )
        self.people.check_frames()
        settings = self._settings
        frames_waiting = round(settings.delay_seconds * info.rate)
        delay = Delay(min(settings.tracking.max_delay_frames, frames_waiting))

        def observer_of(first: Frame) -> VideoObserver:
            views = self.bundle.views(settings.view_px, info.pixel_aspect)
            return VideoObserver.of_frames(self.bundle, views, first, float(info.rate), settings)

        def detect(frames: Iterable[Frame]) -> Iterator[FrameWithFaces]:
            faces = look_ahead(
                frames, observer_of, delay, settings.tracking.smoothing, settings.margin_seconds
            )
            return apply_to_video(self.rules, faces, report) if settings.has_rules else faces

        return detect

    def detect(self, frame: Frame, confidence: float | None = None) -> list[Detection]:
        """Return what is hidden in a still image, as `single_pass` does.

        Args:
            frame: the image.
            confidence: score from which a detection counts by itself; None: that of the settings.
        """
        return [
            Detection(face.box, face.score, face.label)
            for face in self.faces(frame, confidence)
            if face.label != ZONE
        ]

    def faces(self, frame: Frame, confidence: float | None = None) -> tuple[Face, ...]:
        """Return what is hidden in a still image, as `detect` does, with the zones.

        Raises:
            SettingsError: A zone lies outside of the image, or has times.
        """
        info = VideoInfo(frame.size, Fraction(1), Fraction(1), None, False)
        check_rules(self.rules, info, "the image")
        ((_, faces),) = self._stills([frame], None, confidence)
        return faces

    def redact(self, frame: Frame, faces: tuple[Face, ...]) -> RedactedFrame:
        """Hide these faces in the frame's own planes."""
        return self._redactor.redact(frame, faces)

    def _stills(
        self, frames: Iterable[Frame], report: Report | None, confidence: float | None = None
    ) -> Iterator[FrameWithFaces]:
        """Yield still images with what is hidden in them."""
        stills = detect_stills(frames, self.bundle.detectors, confidence)
        if self._settings.careful:
            stills = self.careful_search.revised(stills, report)
        stills = self.people.stills(stills, report)
        if self._settings.has_rules:
            stills = apply_to_stills(self.rules, stills, report)
        return stills
