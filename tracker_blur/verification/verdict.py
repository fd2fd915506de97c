"""What a verification found: exposed faces in runs, checks of the rest, and pictures to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tracker_blur.core.box import Box

Evidence = Literal["pixels", "tracks", "detail"]
"""What decided whether a find is exposed: the input's pixels, the hidden places, or looks alone."""

_INDEPENDENT = {"yunet", "centerface", "ssd"}  # of our own weights, which may have hidden, too
_SAME_VIDEO = {"frames", "times of frames", "shape", "pictures"}  # checks that tell another one


@dataclass(frozen=True, slots=True)
class Exposure:
    """One face in one frame that can be seen.

    frame     index, from 0
    seconds   since the first frame
    track_id  the track it belongs to, if one is known near there
    box       pixels of the full-size upright frame
    score     of the detector, 0 to 1
    detector  name of the detector that found it
    visible   how much of it is seen, 0 to 1, as the evidence tells
    crop      JPEG of it and what is around; None for most frames of a long run
    """

    frame: int
    seconds: float
    track_id: int | None
    box: Box
    score: float
    detector: str
    visible: float
    crop: bytes | None = None

    @property
    def time_code(self) -> str:
        """Its time since the first frame, such as "0:01:02.040"."""
        return time_code(self.seconds)


@dataclass(frozen=True, slots=True)
class Run:
    """One face that is exposed in frames that follow each other; never empty.

    is_doubtful  whether the finds are too weak to say that it is a face
    """

    exposures: tuple[Exposure, ...]
    is_doubtful: bool = False

    @property
    def first(self) -> Exposure:
        """Where it begins."""
        return self.exposures[0]

    @property
    def last(self) -> Exposure:
        """Where it ends."""
        return self.exposures[-1]

    @property
    def worst(self) -> Exposure:
        """Where a face is found most surely, among those with a crop."""
        with_crop = [exposure for exposure in self.exposures if exposure.crop] or self.exposures
        return max(with_crop, key=lambda exposure: exposure.score)

    @property
    def track_id(self) -> int | None:
        """The track that most of it belongs to."""
        known = [face.track_id for face in self.exposures if face.track_id is not None]
        return max(known, key=known.count) if known else None


@dataclass(frozen=True, slots=True)
class EndView:
    """The finished picture where a track begins or ends.

    moment  "before", "first", "last" or "after"
    crop    JPEG of the face's place and what is around
    """

    track_id: int
    frame: int
    seconds: float
    moment: str
    crop: bytes


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must have stayed as it was; `detail` says what was compared, or differs."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a finished file.

    output     the file
    source     the input it was compared with, if any
    evidence   what decided whether a find is exposed
    detectors  names of those that looked
    frames     pictures in the file
    looked     of these, looked at
    finds      places that a detector took for a face
    runs       exposed faces, by their first frames
    doubtful   places that may be exposed faces, or walls, hair and clothes
    ends       each track's ends, as they look now
    more_ends  tracks whose ends are not among them: there are too many
    checks     whether the rest is intact; empty without an input to compare with
    took       wall-clock seconds
    """

    output: str
    source: str | None
    evidence: Evidence
    detectors: tuple[str, ...]
    frames: int
    looked: int
    finds: int
    runs: tuple[Run, ...]
    ends: tuple[EndView, ...]
    more_ends: int
    checks: tuple[Check, ...]
    took: float
    doubtful: tuple[Run, ...] = ()

    @property
    def exposed_frames(self) -> int:
        """Frames in which a face is exposed."""
        return len({exposure.frame for run in self.runs for exposure in run.exposures})

    @property
    def exposed(self) -> int:
        """Exposed faces, counted in each frame anew."""
        return sum(len(run.exposures) for run in self.runs)

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """What is not as it was."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def signs_of_another(self) -> tuple[Check, ...]:
        """Failed checks that say that the input is none of this file: faces were not compared."""
        return tuple(check for check in self.failed_checks if check.name in _SAME_VIDEO)

    @property
    def is_clean(self) -> bool:
        """Whether no face is exposed, but for doubtful ones, and the rest is intact."""
        return not self.runs and not self.failed_checks

    @property
    def advice(self) -> str | None:
        """How to look better, where those that looked are weak."""
        if "haar" in self.detectors:
            return "haar alone misses many faces; a better look: trackblur models pull yunet"
        if "onnx" in self.detectors and not _INDEPENDENT.intersection(self.detectors):
            return "a second, independent detector sees more: trackblur models pull yunet"
        return None

    def plain(self) -> Mapping[str, Any]:
        """Return it as JSON can hold it, without pictures."""
        return {
            "output": self.output,
            "against": self.source,
            "clean": self.is_clean,
            "evidence": self.evidence,
            "detectors": list(self.detectors),
            "advice": self.advice,
            "frames": self.frames,
            "looked": self.looked,
            "finds": self.finds,
            "exposed": self.exposed,
            "exposed_frames": self.exposed_frames,
            "doubtful": len(self.doubtful),
            "is_another_video": bool(self.signs_of_another),
            "runs": [_plain_run(run) for run in self.runs],
            "doubtful_runs": [_plain_run(run) for run in self.doubtful],
            "checks": [
                {"name": check.name, "passed": check.passed, "detail": check.detail}
                for check in self.checks
            ],
            "seconds": round(self.took, 3),
        }


def time_code(seconds: float) -> str:
    """Return a time such as "0:01:02.040"; rounded up, so that the frame is on the screen then."""
    # What a float adds to an exact millisecond must not make it the next one.
    whole, milliseconds = divmod(math.ceil(round(seconds * 1000, 3)), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}.{milliseconds:03}"


def _plain_run(run: Run) -> dict[str, Any]:
    return {
        "track": run.track_id,
        "first_frame": run.first.frame,
        "last_frame": run.last.frame,
        "from": run.first.time_code,
        "to": run.last.time_code,
        "frames": [_plain_exposure(exposure) for exposure in run.exposures],
    }


def _plain_exposure(exposure: Exposure) -> dict[str, Any]:
    return {
        "frame": exposure.frame,
        "seconds": round(exposure.seconds, 6),
        "track": exposure.track_id,
        "box": [round(edge, 1) for edge in exposure.box.as_tuple()],
        "score": round(exposure.score, 3),
        "detector": exposure.detector,
        "visible": round(exposure.visible, 3),
    }
