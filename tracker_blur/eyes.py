"""Eyes: the detector and the trackers that settings ask for, loaded once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tracker_blur import plugins
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.follow import Follower
from tracker_blur.pace import Pace
from tracker_blur.rewind import Rewind
from tracker_blur.second_look import SecondLook
from tracker_blur.settings import Settings
from tracker_blur.trackers import Tracker
from tracker_blur.weights import Weights


@dataclass(frozen=True)
class Eyes:
    """What finds and follows faces.

    second_look   with a detector of its own: a network takes as long to change its size as to look
    new_tracker   None: the detector looks at every frame
    weight_files  names of the weight files that were read
    """

    name: str
    detector: Detector
    second_look: SecondLook
    confidence: float
    new_tracker: Callable[[], Tracker] | None
    weight_files: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> Eyes:
        """Load them; raises ModelError, MissingPackageError or SettingsError."""
        weights = Weights(settings.models_folder)
        name, detector = load_detector(settings.detector, weights)
        _, closer = load_detector(name, weights)
        confidence = settings.confidence
        return cls(
            name,
            detector,
            SecondLook(closer),
            detector.default_confidence if confidence is None else confidence,
            None
            if settings.tracker == "none"
            else plugins.load("tracker_blur.trackers", settings.tracker).load(weights),
            tuple(sorted(weights.used)),
        )

    def follower(
        self,
        every_frames: int | Literal["auto"],
        rate: float,
        hold_seconds: float,
        *,
        looks_again: bool = False,
        skips: bool = False,
    ) -> Follower:
        """Return a new follower for a video of this many frames a second.

        looks_again  with the second look, for faces that the detector did not find
        skips        leave out the frames that the detector does not look at
        """
        return Follower(
            self.detector,
            self.confidence,
            self.new_tracker,
            Pace(every_frames, rate),
            hold_seconds,
            time.perf_counter,
            threads=os.cpu_count() or 1,
            second_look=self.second_look if looks_again else None,
            skips=skips,
        )

    def rewind(self, rate: float) -> Rewind:
        """Return a new rewind for a video of this many frames a second."""
        return Rewind(self.new_tracker, self.second_look, rate)
