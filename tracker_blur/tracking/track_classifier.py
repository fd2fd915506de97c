"""Asks the classifier about detections and tracks, no more often than it takes to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.core.times import slot_of
from tracker_blur.tracking.erasing import erased, faces_in_crop
from tracker_blur.tracking.evidence import ClassifiedCrop, pooled_log_odds
from tracker_blur.tracking.plausibility import is_higher_score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import ClassificationParameters
    from tracker_blur.core.state import State
    from tracker_blur.tracking.track_state import TrackState


class TrackClassifier:
    """Tells faces from what a detector takes for one. Without a classifier, it has no opinion.

    Args:
        classifier: Says of one place whether it shows a face; None: there is none.
        parameters: Tuning parameters.
    """

    def __init__(self, classifier: Classifier | None, parameters: ClassificationParameters) -> None:
        self._classifier = classifier
        self._parameters = parameters
        self._turn = 0

    def restart(self) -> None:
        """Begin with the turns again: a new scene begins."""
        self._turn = 0

    def state(self) -> State:
        """Return what the next answers depend on, besides tracks and images."""
        return (self._turn,)

    def judged(
        self, candidates: Sequence[Detection], image: Image
    ) -> list[tuple[Detection, float]]:
        """Return the candidates that are asked about, each with its log odds.

        These are the best-scored ones, and another one at each call.
        """
        if self._classifier is None or not candidates:
            return []
        asked = self._in_turn(sorted(candidates, key=lambda detection: -detection.score))
        odds = self._classifier.log_odds(image, [detection.box for detection in asked])
        return list(zip(asked, odds.tolist(), strict=True))

    def _in_turn(self, candidates: list[Detection]) -> list[Detection]:
        """Return as many candidates as may be asked about: the first ones, and one of the rest."""
        count = self._parameters.max_candidate_detections
        if len(candidates) <= count:
            return candidates
        first, rest = candidates[: count - 1], candidates[count - 1 :]
        self._turn += 1
        return [*first, rest[self._turn % len(rest)]]

    def classify(
        self,
        tracks: Sequence[TrackState],
        image: Image,
        seconds: float,
        *,
        is_crowd: bool = False,
    ) -> tuple[ClassifiedCrop, ...]:
        """Ask about tracks that were just confirmed, each now and then.

        Return what it says about each track that was classified.

        Args:
            tracks: The tracks.
            image: The view.
            seconds: Its time.
            is_crowd: Whether those with high odds are asked about more seldom.
        """
        if self._classifier is None:
            return ()
        due = [track for track in tracks if self._is_due(track, seconds, is_crowd=is_crowd)]
        limits = self._parameters
        asked = self._most_urgent(
            due, limits.max_crowd_crops if is_crowd else limits.max_view_crops
        )
        answers = [self._answer(track, tracks, image, seconds) for track in asked]
        for track, log_odds in zip(asked, answers, strict=True):
            track.log_odds.append(log_odds)
            del track.log_odds[: -self._parameters.remembered_crops]
            track.classified_seconds = seconds
        return tuple(
            ClassifiedCrop(track.track_id, track.log_odds[-1], track.box.size) for track in asked
        )

    def _answer(
        self, track: TrackState, tracks: Sequence[TrackState], image: Image, seconds: float
    ) -> float:
        """Return the log odds of a track's crop, without faces that are known to be others."""
        assert self._classifier is not None
        if track.box.size >= self._parameters.large_share * min(image.shape[:2]):
            faces = self._other_faces(track, tracks, seconds)
            image = erased(image, faces) if faces else image
        return float(self._classifier.log_odds(image, [track.box])[0])

    def _other_faces(
        self, track: TrackState, tracks: Sequence[TrackState], seconds: float
    ) -> list[Box]:
        """Return the known, higher-scoring faces that the crop of a large track shows."""
        limits = self._parameters
        known = [
            other.box
            for other in tracks
            if is_higher_score(other.score, track.score, limits.higher_score_ratio)
            and other.confirmed_seconds == seconds
            and self._is_settled(other)
        ]
        return faces_in_crop(track.box, known, limits.erased_size_ratio, limits.erased_share)

    def _most_urgent(self, due: list[TrackState], count: int) -> list[TrackState]:
        """Return as many tracks as may be classified in one view."""
        limits = self._parameters
        if len(due) <= count:
            return due

        def urgency(track: TrackState) -> tuple[int, float]:
            return min(len(track.log_odds), limits.first_crops), track.classified_seconds

        return sorted(due, key=urgency)[:count]

    def is_rejected(self, track: TrackState) -> bool:
        """Return whether it is certain by now that a track is no face."""
        return self.pooled_log_odds(track) < self._parameters.at_once_log_odds

    def possible(self, tracks: Iterable[TrackState]) -> list[TrackState]:
        """Return those of some tracks that may be faces."""
        return [track for track in tracks if not self.is_rejected(track)]

    def is_trusted(self, track: TrackState) -> bool:
        """Return whether a track likely is a face, whatever its detections score."""
        return self.pooled_log_odds(track) >= self._parameters.start_log_odds

    def pooled_log_odds(self, track: TrackState) -> float:
        """Return the log odds that a track is a face; nan: it was not classified."""
        return pooled_log_odds(track.log_odds, self._parameters)

    def _is_due(self, track: TrackState, seconds: float, *, is_crowd: bool) -> bool:
        limits, count = self._parameters, len(track.log_odds)
        if track.confirmed_seconds != seconds:
            return False
        interval = limits.interval_seconds
        if is_crowd and self._is_settled(track):
            interval = limits.settled_interval_seconds
        elif count < limits.first_crops or self._looks_better(track):
            return True
        return slot_of(seconds, interval) != slot_of(track.classified_seconds, interval)

    def _looks_better(self, track: TrackState) -> bool:
        """Return whether what was classified last looked more like a face than what was before.

        A tracker may have followed something else until a face took its place.
        """
        limits = self._parameters
        if not track.log_odds or track.log_odds[-1] <= limits.better_log_odds:
            return False
        return self.pooled_log_odds(track) < min(track.log_odds[-1], limits.settled_log_odds)

    def _is_settled(self, track: TrackState) -> bool:
        limits = self._parameters
        is_known = len(track.log_odds) >= limits.pooled_crops
        return is_known and self.pooled_log_odds(track) >= limits.settled_log_odds
