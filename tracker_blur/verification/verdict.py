"""What a verification found: exposed faces in runs, checks of the rest, and pictures to look at.

Groups exposed faces of frames that follow each other, and tells firm from doubtful ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tracker_blur.core.box import Box
from tracker_blur.verification.probes import ProbeDetection

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


_SAME_FACE_IOU = 0.3
_SAME_PLACE_IOU = 0.5  # one look later, of a face that nothing else speaks for
_LONGEST_GAP = 3  # looks without a find, within one run
_ENOUGH_FIRM = 2  # finds that make a face together
_ENOUGH_STRONG = 2  # finds that leave no doubt of it
_MOST_CROPS = 3  # of a run
_MOST_CROPS_IN_ALL = 1000


@dataclass(slots=True)
class _Open:
    """A run that may go on.

    looked         number of the last look that found it
    firm, strong   finds of these kinds
    is_face        whether it is reported at all
    is_clear       whether one of the finds leaves no doubt
    """

    exposures: list[Exposure] = field(default_factory=list)
    looked: int = 0
    firm: int = 0
    strong: int = 0
    is_face: bool = False
    is_clear: bool = False

    def run(self) -> Run:
        """Return what it is so far."""
        is_firm = self.is_clear or self.strong >= _ENOUGH_STRONG
        return Run(tuple(self.exposures), not is_firm)


class RunBuilder:
    """Takes the exposures of one look after the other.

    A sure find is a face, and so are two firm ones. Others are where the same place was hidden as a
    face one look before or after, and where a track begins or ends.

    No doubt is left of a face with two strong finds, or with one that is clear.
    """

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._done: list[_Open] = []
        self._hidden: Sequence[Box] = ()
        self._looks = 0
        self._crops = 0

    def add(
        self,
        exposures: Iterable[tuple[ProbeDetection, Exposure]],
        hidden: Sequence[Box],
        awaited: Sequence[Box],
    ) -> None:
        """Take one look's exposures, each with the find that it is.

        hidden   boxes of faces that are hidden in this look
        awaited  where a track ended a moment ago, or will begin: its face may still be there
        """
        self._looks += 1
        for run in self._open:
            if run.looked == self._looks - 1 and _meets(run.exposures[-1].box, hidden):
                run.is_face = True
        for find, exposure in exposures:
            run = self._run_of(exposure)
            run.firm += find.is_firm
            run.strong += find.is_strong
            run.is_clear |= find.is_clear
            run.is_face |= find.is_sure or run.firm >= _ENOUGH_FIRM
            run.is_face |= _meets(exposure.box, (*self._hidden, *awaited))
            run.looked = self._looks
            run.exposures.append(exposure)
            self._thin(run)
        self._hidden = hidden
        ended = [run for run in self._open if run.looked < self._looks - _LONGEST_GAP]
        self._done += (run for run in ended if run.is_face)
        self._open = [run for run in self._open if run not in ended]

    def runs(self) -> tuple[Run, ...]:
        """Return the runs so far, by their first frames."""
        faces = [*self._done, *(run for run in self._open if run.is_face)]
        runs = (run.run() for run in faces)
        return tuple(sorted(runs, key=lambda run: (run.first.frame, run.first.box.left)))

    def _run_of(self, exposure: Exposure) -> _Open:
        free = [run for run in self._open if run.looked < self._looks]
        best = max(free, key=lambda run: run.exposures[-1].box.iou(exposure.box), default=None)
        if best is None or best.exposures[-1].box.iou(exposure.box) < _SAME_FACE_IOU:
            best = _Open()
            self._open.append(best)
        return best

    def _thin(self, run: _Open) -> None:
        """Forget crops that nobody would look at: a long run keeps its start, best and last."""
        newest = run.exposures[-1]
        if newest.crop is None:
            return
        if self._crops >= _MOST_CROPS_IN_ALL:
            run.exposures[-1] = replace(newest, crop=None)
            return
        self._crops += 1
        with_crop = [at for at, exposure in enumerate(run.exposures) if exposure.crop is not None]
        if len(with_crop) > _MOST_CROPS:
            middle = with_crop[1:-1]
            least = min(middle, key=lambda at: run.exposures[at].score)
            run.exposures[least] = replace(run.exposures[least], crop=None)
            self._crops -= 1


def _meets(box: Box, others: Iterable[Box]) -> bool:
    return any(box.iou(other) >= _SAME_PLACE_IOU for other in others)
