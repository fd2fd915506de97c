"""The verdict on a finished file: exposed faces in runs, and checks of the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tracker_blur.core.timecode import format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from fractions import Fraction

    from tracker_blur.core.box import Box
    from tracker_blur.verification.parameters import VerificationParameters
    from tracker_blur.verification.probes import ProbeDetection

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
class Exposure:
    """One visible face in one frame.

    Attributes:
        frame: number of the frame, from 0.
        time: seconds since the first frame, exact.
        track_id: the track of this face, if there is one nearby.
        box: pixels of the full-size upright frame.
        score: the detector's, 0 to 1.
        detector: name of the detector.
        visible: how much of the face is visible, 0 to 1, by the evidence.
        crop: JPEG of the face and its surroundings; None for most frames of a long run.
    """

    frame: int
    time: Fraction
    track_id: int | None
    box: Box
    score: float
    detector: str
    visible: float
    crop: bytes | None = None

    @property
    def time_code(self) -> str:
        """Time since the first frame, such as "0:01:02.040"."""
        return format_seconds(self.time)


@dataclass(frozen=True, slots=True)
class ExposureRun:
    """One face that is exposed in successive frames; never empty.

    Attributes:
        exposures: one for each frame, ascending.
        is_doubtful: whether the detections are too weak to say that it is a face.
    """

    exposures: tuple[Exposure, ...]
    is_doubtful: bool = False

    @property
    def first(self) -> Exposure:
        """The first exposure."""
        return self.exposures[0]

    @property
    def last(self) -> Exposure:
        """The last exposure."""
        return self.exposures[-1]

    @property
    def worst(self) -> Exposure:
        """The exposure with the highest score, among those with a crop."""
        with_crop = [exposure for exposure in self.exposures if exposure.crop] or self.exposures
        return max(with_crop, key=lambda exposure: exposure.score)

    @property
    def track_id(self) -> int | None:
        """The track of most exposures."""
        known = [face.track_id for face in self.exposures if face.track_id is not None]
        return max(known, key=known.count) if known else None


@dataclass(frozen=True, slots=True)
class TrackEndView:
    """What the output shows where a track begins or ends.

    Attributes:
        track_id: the track.
        frame: number of the frame.
        moment: "before", "first", "last" or "after".
        crop: JPEG of the face's place and its surroundings.
    """

    track_id: int
    frame: int
    moment: str
    crop: bytes


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
        ends: what the output shows at each track's ends.
        omitted_ends: tracks whose ends are not shown because there are too many.
        checks: whether the rest is intact; empty without a source.
        seconds: wall-clock time that verification took.
        doubtful: places that may be exposed faces, or walls, hair and clothes.
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
    doubtful: tuple[ExposureRun, ...] = ()

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
        """Whether no face is exposed, except doubtful ones, and the rest is intact."""
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
            "against": self.source,
            "clean": self.is_clean,
            "evidence": self.evidence,
            "detectors": list(self.detectors),
            "advice": self.advice,
            "frames": self.frames,
            "looked": self.probed_frames,
            "finds": self.detections,
            "exposed": self.exposures,
            "exposed_frames": self.exposed_frames,
            "doubtful": len(self.doubtful),
            "is_another_video": bool(self.source_mismatches),
            "runs": [_run_dict(run) for run in self.runs],
            "doubtful_runs": [_run_dict(run) for run in self.doubtful],
            "checks": [
                {"name": check.name, "passed": check.passed, "detail": check.detail}
                for check in self.checks
            ],
            "seconds": round(self.seconds, 3),
        }


def _run_dict(run: ExposureRun) -> dict[str, Any]:
    return {
        "track": run.track_id,
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
    }


@dataclass(slots=True)
class _OpenRun:
    """A run that may continue.

    Attributes:
        exposures: those so far.
        last_seen: number of the last detection frame that continued it.
        likely: likely detections so far.
        high_confidence: high-confidence detections so far.
        is_face: whether it is reported at all.
        is_certain: whether one of the detections leaves no doubt.
    """

    exposures: list[Exposure] = field(default_factory=list)
    last_seen: int = 0
    likely: int = 0
    high_confidence: int = 0
    is_face: bool = False
    is_certain: bool = False


class ExposureRunBuilder:
    """Groups the exposures of successive detection frames into runs.

    A run is reported as a face if one detection suffices for it, if several are likely, if the
    place was hidden as a face one detection frame earlier or later, or if a track begins or ends
    there. It is doubtful unless several detections have high confidence, or one is certain.
    """

    def __init__(self, parameters: VerificationParameters) -> None:
        self._parameters = parameters
        self._open: list[_OpenRun] = []
        self._done: list[_OpenRun] = []
        self._hidden: Sequence[Box] = ()
        self._frames = 0
        self._crops = 0

    def add(
        self,
        exposures: Iterable[tuple[ProbeDetection, Exposure]],
        hidden: Sequence[Box],
        expected: Sequence[Box],
    ) -> None:
        """Add one detection frame.

        Args:
            exposures: each with its detection.
            hidden: boxes of hidden faces in this frame.
            expected: where a track ended a moment ago, or will begin: its face may still be there.
        """
        parameters = self._parameters
        self._frames += 1
        for run in self._open:
            if run.last_seen == self._frames - 1 and self._meets(run.exposures[-1].box, hidden):
                run.is_face = True
        for detection, exposure in exposures:
            run = self._run_of(exposure)
            run.likely += detection.is_likely(parameters)
            run.high_confidence += detection.is_high_confidence(parameters)
            run.is_certain |= detection.is_certain(parameters)
            run.is_face |= detection.is_sufficient(parameters)
            run.is_face |= run.likely >= parameters.min_likely_detections
            run.is_face |= self._meets(exposure.box, (*self._hidden, *expected))
            run.last_seen = self._frames
            run.exposures.append(exposure)
            self._drop_crops(run)
        self._hidden = hidden
        oldest = self._frames - parameters.max_gap_frames
        ended = [run for run in self._open if run.last_seen < oldest]
        self._done += (run for run in ended if run.is_face)
        self._open = [run for run in self._open if run not in ended]

    def runs(self) -> tuple[ExposureRun, ...]:
        """Return the runs so far, by their first frames."""
        faces = [*self._done, *(run for run in self._open if run.is_face)]
        runs = (
            ExposureRun(
                tuple(run.exposures),
                is_doubtful=not run.is_certain
                and run.high_confidence < self._parameters.min_high_detections,
            )
            for run in faces
        )
        return tuple(sorted(runs, key=lambda run: (run.first.frame, run.first.box.left)))

    def _run_of(self, exposure: Exposure) -> _OpenRun:
        free = [run for run in self._open if run.last_seen < self._frames]
        best = max(free, key=lambda run: run.exposures[-1].box.iou(exposure.box), default=None)
        if best is None or best.exposures[-1].box.iou(exposure.box) < self._parameters.run_iou:
            best = _OpenRun()
            self._open.append(best)
        return best

    def _meets(self, box: Box, others: Iterable[Box]) -> bool:
        return any(box.iou(other) >= self._parameters.neighbor_iou for other in others)

    def _drop_crops(self, run: _OpenRun) -> None:
        """Keep a run's first, best and last crops, and a limited number in total."""
        newest = run.exposures[-1]
        if newest.crop is None:
            return
        if self._crops >= self._parameters.max_crops:
            run.exposures[-1] = replace(newest, crop=None)
            return
        self._crops += 1
        with_crop = [at for at, exposure in enumerate(run.exposures) if exposure.crop is not None]
        if len(with_crop) > self._parameters.max_run_crops:
            middle = with_crop[1:-1]
            least = min(middle, key=lambda at: run.exposures[at].score)
            run.exposures[least] = replace(run.exposures[least], crop=None)
            self._crops -= 1
