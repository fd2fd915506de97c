"""Eyes: the detectors and the trackers that settings ask for, loaded once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tracker_blur.core import plugins
from tracker_blur.detectors import Detector
from tracker_blur.settings import FACE, Settings
from tracker_blur.trackers import Tracker
from tracker_blur.tracking.backtracking import Rewind
from tracker_blur.tracking.online import Follower
from tracker_blur.tracking.redetection import SecondLook
from tracker_blur.tracking.schedule import Pace
from tracker_blur.tracking.target_classes import Kind, kinds
from tracker_blur.tracking.together import Followers, Rewinds
from tracker_blur.weights.store import Weights


@dataclass(frozen=True)
class Eye:
    """What finds and follows the things of one kind.

    label         what they are called
    second_look   with a detector of its own: a network takes as long to change its size as to look
    new_tracker   None: the detector looks at every frame
    """

    label: str
    detector: Detector
    second_look: SecondLook
    confidence: float
    new_tracker: Callable[[], Tracker] | None

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


@dataclass(frozen=True)
class Eyes:
    """What finds and follows all that is to be hidden.

    each          one for each kind of things
    name          of the detectors, for people to read
    weight_files  names of the weight files that were read
    """

    each: tuple[Eye, ...]
    name: str
    weight_files: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> Eyes:
        """Load them; raises ModelError, MissingPackageError or SettingsError."""
        weights = Weights(settings.models_folder)
        wanted = kinds(settings, weights)
        new_tracker = (
            None
            if settings.tracker == "none"
            else plugins.load("tracker_blur.trackers", settings.tracker).load(weights)
        )
        each = tuple(_eye(kind, settings.confidence, new_tracker) for kind in wanted)
        name = ", ".join(dict.fromkeys(kind.finder for kind in wanted))
        return cls(each, name, tuple(sorted(weights.used)))

    @property
    def confidence(self) -> float:
        """The score from which a find of any kind is sure."""
        return min(eye.confidence for eye in self.each)

    def follower(
        self,
        every_frames: int | Literal["auto"],
        rate: float,
        hold_seconds: float,
        *,
        looks_again: bool = False,
    ) -> Followers:
        """Return new followers of all kinds, as `Eye.follower` does.

        What is no face is looked for in every frame: trackers keep to it less well.
        """
        return Followers(
            [
                (
                    eye.label,
                    eye.follower(
                        every_frames if eye.label == FACE else 1,
                        rate,
                        hold_seconds,
                        looks_again=looks_again,
                    ),
                )
                for eye in self.each
            ]
        )

    def rewind(self, rate: float) -> Rewinds:
        """Return new rewinds of all kinds for a video of this many frames a second."""
        return Rewinds([(eye.label, eye.rewind(rate)) for eye in self.each])


def _eye(kind: Kind, confidence: float | None, new_tracker: Callable[[], Tracker] | None) -> Eye:
    detector = kind.load()
    return Eye(
        kind.label,
        detector,
        SecondLook(kind.load()),
        detector.default_confidence if confidence is None else confidence,
        new_tracker,
    )
