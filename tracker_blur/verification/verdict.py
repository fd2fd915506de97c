"""The verdict on a finished file: what was found in it, and whether the rest is intact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tracker_blur.verification.exposures import Exposure, ExposureRun, LeftVisible, TrackEndView

Evidence = Literal["pixels", "tracks", "detail"]
"""What decided whether a detection is exposed: the source's pixels, the tracks' hidden areas, or
only whether it has the detail of a face."""

_INDEPENDENT = {"yunet", "centerface", "ssd"}  # other than our own weights, which may have hidden
_SAME_VIDEO_CHECKS = {"frames", "times of frames", "shape", "pictures"}
_TITLES = {  # of checks whose names, kept in JSON, are not what people call them today
    "pictures": "frame content",
    "times of frames": "frame times",
    "sound and subtitles": "audio and subtitles",
}
_TRACK_TITLES = {"sound": "audio track", "subtitles": "subtitle track"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be intact.

    Attributes:
        name: what was checked, as the JSON report calls it.
        passed: whether it is intact.
        detail: what was compared, or what differs.
    """

    name: str
    passed: bool
    detail: str

    @property
    def title(self) -> str:
        """What was checked, for people to read."""
        kind, _, track = self.name.partition(", track ")
        if track:
            return f"{_TRACK_TITLES[kind]} {track}"
        return _TITLES.get(self.name, self.name)


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A file that was verified.

    Attributes:
        name: its name, without its folder.
        sha256: hash of its bytes.
        size: (width, height) in pixels.
        frame_count: how many frames it states, if it does.
        source_sha256: hash of the input that it was compared with, if any.
    """

    name: str
    sha256: str
    size: tuple[int, int]
    frame_count: int | None
    source_sha256: str | None = None

    def shows_the_same_as(self, other: VerifiedFile) -> bool:
        """Return whether both have the same bytes, or were made of one input.

        Names do not count: cameras and scripts give many files the same one.
        """
        is_same_input = self.source_sha256 == other.source_sha256 is not None
        return self.sha256 == other.sha256 or is_same_input


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found in a finished file.

    Attributes:
        output: the file.
        source: the input that it was compared with, if any.
        evidence: what decided whether a detection is exposed.
        detectors: names of the probes.
        frames: frames in the file.
        probed_frames: how many of them the probes saw.
        detections: places that a detector took for a face.
        runs: exposed faces, by their first frames.
        look_here: places that may show a face, in the same order.
        dismissed: how many places were left out because a person has accepted them.
        file: the file, as a journal of accepted places names it; None if none was given.
        output_sha256: hash of the file's bytes; None if it is not known.
        left_visible: faces that are visible by choice, by their first frames.
        ends: what the output shows at each track's ends.
        omitted_ends: tracks whose ends are not shown because there are too many.
        checks: whether the rest is intact; empty without a source.
        seconds: wall-clock time that verification took.
    """

    output: str
    source: str | None
    evidence: Evidence
    detectors: tuple[str, ...]
    frames: int
    probed_frames: int
    detections: int
    runs: tuple[ExposureRun, ...]
    ends: tuple[TrackEndView, ...]
    omitted_ends: int
    checks: tuple[Check, ...]
    seconds: float
    look_here: tuple[ExposureRun, ...] = ()
    dismissed: int = 0
    file: VerifiedFile | None = None
    left_visible: tuple[LeftVisible, ...] = ()
    output_sha256: str | None = None

    @property
    def finding(self) -> Literal["exposed", "look here", "nothing found"]:
        """The verdict in a word or two."""
        if self.runs:
            return "exposed"
        return "look here" if self.look_here else "nothing found"

    @property
    def places(self) -> tuple[ExposureRun, ...]:
        """Exposed faces first, then the places to look at."""
        return self.runs + self.look_here

    def without(self, places: Collection[ExposureRun]) -> Verdict:
        """Return the verdict without places that a person has just accepted."""
        return replace(
            self,
            runs=tuple(run for run in self.runs if run not in places),
            look_here=tuple(run for run in self.look_here if run not in places),
            dismissed=self.dismissed + len(places),
        )

    @property
    def exposed_frames(self) -> int:
        """How many frames expose a face."""
        return len({exposure.frame for run in self.runs for exposure in run.exposures})

    @property
    def exposures(self) -> int:
        """How many exposures there are: each face counts once in each frame."""
        return sum(len(run.exposures) for run in self.runs)

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """What is not intact."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def source_mismatches(self) -> tuple[Check, ...]:
        """Failed checks which mean that the source is another video: no face was compared."""
        return tuple(check for check in self.failed_checks if check.name in _SAME_VIDEO_CHECKS)

    @property
    def is_clean(self) -> bool:
        """Whether no face is exposed, as far as is sure, and the rest is intact."""
        return not self.runs and not self.failed_checks

    @property
    def advice(self) -> str | None:
        """Which detector to add, if those at hand are weak."""
        if "haar" in self.detectors:
            return (
                "haar alone misses many faces: for a better check, run "
                "'trackblur models pull yunet'"
            )
        if "onnx" in self.detectors and not _INDEPENDENT.intersection(self.detectors):
            return "a second, independent detector finds more: run 'trackblur models pull yunet'"
        return None

    def to_dict(self) -> Mapping[str, Any]:
        """Return the verdict as data for JSON, without images."""
        return {
            "output": self.output,
            "output_sha256": self.output_sha256,
            "against": self.source,
            "verdict": self.finding,
            "clean": self.is_clean,
            "evidence": self.evidence,
            "detectors": list(self.detectors),
            "advice": self.advice,
            "frames": self.frames,
            "looked": self.probed_frames,
            "finds": self.detections,
            "exposed": self.exposures,
            "exposed_frames": self.exposed_frames,
            "look_here": len(self.look_here),
            "dismissed": self.dismissed,
            "left_visible": [place.to_dict() for place in self.left_visible],
            "is_another_video": bool(self.source_mismatches),
            "runs": [_run_dict(run) for run in self.runs],
            "look_here_runs": [_run_dict(run) for run in self.look_here],
            "checks": [
                {"name": check.name, "passed": check.passed, "detail": check.detail}
                for check in self.checks
            ],
            "seconds": round(self.seconds, 3),
        }


def _run_dict(run: ExposureRun) -> dict[str, Any]:
    return {
        "id": run.place_id,
        "label": run.label,
        "track": run.track_id,
        "log_odds": _rounded(run.log_odds),
        "first_frame": run.first.frame,
        "last_frame": run.last.frame,
        "from": run.first.time_code,
        "to": run.last.time_code,
        "frames": [_exposure_dict(exposure) for exposure in run.exposures],
    }


def _exposure_dict(exposure: Exposure) -> dict[str, Any]:
    return {
        "frame": exposure.frame,
        "seconds": round(float(exposure.time), 6),
        "track": exposure.track_id,
        "box": [round(edge, 1) for edge in exposure.box.as_tuple()],
        "score": round(exposure.score, 3),
        "detector": exposure.detector,
        "visible": round(exposure.visible, 3),
        "log_odds": _rounded(exposure.log_odds),
    }


def _rounded(log_odds: float | None) -> float | None:
    return None if log_odds is None else round(log_odds, 2)
