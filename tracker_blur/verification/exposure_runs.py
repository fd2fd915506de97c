"""Groups the exposures of successive frames into runs, and keeps a few images of each."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from tracker_blur.core.parameters import ClassificationParameters
from tracker_blur.tracking.evidence import pooled_log_odds
from tracker_blur.verification.exposures import Exposure, ExposureRun, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.verification.parameters import VerificationParameters
    from tracker_blur.verification.probes import ProbeDetection

_POOLING = ClassificationParameters()  # as for the tracks of a run


class Candidate(NamedTuple):
    """What may be an exposed face.

    Attributes:
        detection: the detection.
        exposure: the same as an exposure, without an image.
        thumbnail: a small image of it; None if it lies outside of the frame.
    """

    detection: ProbeDetection
    exposure: Exposure
    thumbnail: Image | None


@dataclass(slots=True, eq=False)
class _OpenRun:
    """A run that may continue.

    Attributes:
        label: the target class.
        exposures: those so far.
        best: index of the one with the highest score.
        latest: the thumbnail of the last one, which is encoded when no other follows.
        last_seen: number of the last detection frame that continued it.
        likely: likely detections so far.
        high_confidence: high-confidence detections so far.
        is_face: whether one of the detections, or what was hidden nearby, suffices to report it.
        is_certain: whether one of the detections leaves no doubt.
        agreeing: frames in which the classifier takes it for a face.
    """

    label: str
    exposures: list[Exposure] = field(default_factory=list)
    best: int = 0
    latest: Image | None = None
    last_seen: int = 0
    likely: int = 0
    high_confidence: int = 0
    is_face: bool = False
    is_certain: bool = False
    agreeing: int = 0

    @property
    def log_odds(self) -> float | None:
        """The log odds that it is a face, pooled; None without a classifier."""
        known = [face.log_odds for face in self.exposures if face.log_odds is not None]
        return pooled_log_odds(known, _POOLING) if known else None


def _rank(run: ExposureRun) -> tuple[bool, float, float]:
    """Return a key by which the runs that most likely show a face are last."""
    log_odds = -math.inf if run.log_odds is None else run.log_odds
    return run.finding == "exposed", log_odds, run.worst.score


class ExposureRunBuilder:
    """Groups the exposures of successive detection frames into runs.

    The detections make a run worth reporting if one suffices, if several are likely, if the place
    was hidden as a face one detection frame earlier or later, or if a track begins or ends there.
    Then the classifier decides, by the log odds of the run's best frames. A face is exposed if its
    odds are high in several frames. What has low odds is not reported, and the rest is to be
    looked at. Low-confidence detections are reported if the classifier's odds are high.

    Classes without a classifier are exposed if several detections have high confidence, or one
    is certain, and to be looked at otherwise.

    Where there are fewer detection frames than that takes, the rules of still images hold.

    Detectors see one face at several sizes and shifts. Of runs at one place, the likeliest counts;
    of the others stays what they show in other frames or elsewhere.

    Each run keeps images of its first, best and last exposures, and each exposure costs the same
    however long its run is.

    Args:
        parameters: thresholds.
        encode: makes a JPEG of a thumbnail.
    """

    def __init__(
        self, parameters: VerificationParameters, encode: Callable[[Image], bytes]
    ) -> None:
        self._parameters = parameters
        self._encode = encode
        self._open: list[_OpenRun] = []
        self._done: list[_OpenRun] = []
        self._hidden: Sequence[Box] = ()
        self._frames = 0
        self._crops = 0

    def add(
        self, candidates: Iterable[Candidate], hidden: Sequence[Box], expected: Sequence[Box]
    ) -> None:
        """Add one detection frame.

        Args:
            candidates: what may be exposed.
            hidden: boxes of hidden faces in this frame.
            expected: where a track ended a moment ago, or will begin: its face may still be there.
        """
        parameters = self._parameters
        self._frames += 1
        for run in self._open:
            if run.last_seen == self._frames - 1 and self._meets(run.exposures[-1].box, hidden):
                run.is_face = True
        for candidate in candidates:
            detection, exposure, _ = candidate
            run = self._run_of(exposure, detection.label)
            run.likely += detection.is_likely(parameters)
            run.high_confidence += detection.is_high_confidence(parameters)
            run.is_certain |= detection.is_certain(parameters)
            run.is_face |= detection.is_sufficient(parameters)
            run.is_face |= self._meets(exposure.box, (*self._hidden, *expected))
            if exposure.log_odds is not None:
                run.agreeing += exposure.log_odds > 0
            run.last_seen = self._frames
            self._append(run, candidate)
        self._hidden = hidden
        oldest = self._frames - parameters.max_gap_frames
        for run in self._open:
            if run.last_seen < oldest and self._finding(run, parameters) is not None:
                self._finish(run)
                self._done.append(run)
        self._open = [run for run in self._open if run.last_seen >= oldest]

    def runs(self) -> tuple[ExposureRun, ...]:
        """Return the runs so far, by their first frames."""
        parameters = self._parameters.for_frames(self._frames)
        runs = []
        for run in (*self._done, *self._open):
            finding = self._finding(run, parameters)
            if finding is not None:
                self._finish(run)
                runs.append(ExposureRun(tuple(run.exposures), finding, run.log_odds, run.label))
        kept = self._without_repetitions(runs)
        return tuple(sorted(kept, key=lambda run: (run.first.frame, run.first.box.left)))

    def _without_repetitions(self, runs: Sequence[ExposureRun]) -> list[ExposureRun]:
        """Return the runs without what likelier ones show."""
        kept: list[ExposureRun] = []
        for run in sorted(runs, key=_rank, reverse=True):
            rest = self._apart_from(run, kept)
            if rest is not None:
                kept.append(rest)
        return kept

    def _apart_from(self, run: ExposureRun, likelier: Sequence[ExposureRun]) -> ExposureRun | None:
        """Return a run without what likelier ones show, if that is most of it; None if it is all.

        In the other frames it may be all that shows the face. What is left keeps an image.
        """
        first, last = run.first.frame, run.last.frame
        places: defaultdict[int, list[Box]] = defaultdict(list)
        for other in likelier:
            if run.label == other.label and first <= other.last.frame and other.first.frame <= last:
                for exposure in other.exposures:
                    places[exposure.frame].append(exposure.box)
        rest = [
            exposure
            for exposure in run.exposures
            if not any(self._are_one(exposure.box, box) for box in places[exposure.frame])
        ]
        if not rest:
            return None
        if 2 * len(rest) >= len(run.exposures):
            return run
        if run.worst.crop and not any(exposure.crop for exposure in rest):
            rest = sorted((*rest, run.worst), key=lambda exposure: exposure.frame)
        return replace(run, exposures=tuple(rest))

    def _are_one(self, box: Box, other: Box) -> bool:
        """Return whether two boxes of about one size show one face."""
        parameters = self._parameters
        small, large = sorted((box, other), key=lambda each: each.size)
        if large.size > parameters.same_size_ratio * small.size:
            return False
        return small.intersection_area(large) >= parameters.same_share * small.area

    def _finding(self, run: _OpenRun, parameters: VerificationParameters) -> Finding | None:
        """Return what a run shows; None if it is not worth a look."""
        log_odds = run.log_odds
        is_face = run.is_face or run.likely >= parameters.min_likely_detections
        if log_odds is None:
            if not is_face:
                return None
            is_sure = run.high_confidence >= parameters.min_high_detections
            return "exposed" if run.is_certain or is_sure else "look here"
        is_several = run.agreeing >= parameters.min_exposed_frames
        if log_odds >= parameters.exposed_log_odds and is_several:
            return "exposed"
        is_worth_a_look = log_odds >= parameters.look_here_log_odds
        return "look here" if is_face and is_worth_a_look else None

    def _run_of(self, exposure: Exposure, label: str) -> _OpenRun:
        free = [run for run in self._open if run.last_seen < self._frames and run.label == label]
        best = max(free, key=lambda run: run.exposures[-1].box.iou(exposure.box), default=None)
        if best is None or best.exposures[-1].box.iou(exposure.box) < self._parameters.run_iou:
            best = _OpenRun(label)
            self._open.append(best)
        return best

    def _meets(self, box: Box, others: Iterable[Box]) -> bool:
        return any(box.iou(other) >= self._parameters.neighbor_iou for other in others)

    def _append(self, run: _OpenRun, candidate: Candidate) -> None:
        exposure, thumbnail = candidate.exposure, candidate.thumbnail
        at = len(run.exposures)
        run.exposures.append(exposure)
        run.latest = thumbnail
        if at == 0:
            self._finish(run)
        elif exposure.score > run.exposures[run.best].score:
            if run.best:
                self._drop_crop(run, run.best)
            run.best = at
            self._finish(run)

    def _finish(self, run: _OpenRun) -> None:
        """Encode the thumbnail of the last exposure, which stays."""
        if run.latest is not None and self._crops < self._parameters.max_crops:
            run.exposures[-1] = replace(run.exposures[-1], crop=self._encode(run.latest))
            self._crops += 1
        run.latest = None

    def _drop_crop(self, run: _OpenRun, at: int) -> None:
        if run.exposures[at].crop is not None:
            run.exposures[at] = replace(run.exposures[at], crop=None)
            self._crops -= 1
