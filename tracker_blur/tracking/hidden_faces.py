"""Which raw tracks are faces to hide: plausible, supported, linked, and not rejected; no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.evidence import (
    best_log_odds,
    needed_log_odds,
    pooled_log_odds,
    representative_score,
)
from tracker_blur.tracking.false_ends import without_false_ends
from tracker_blur.tracking.linking import LinkedTrack, link_tracklets
from tracker_blur.tracking.plausibility import cut_off, face_sizes
from tracker_blur.tracking.plausible_tracks import largest_high_confidence_size, plausible_tracks
from tracker_blur.tracking.scene_cuts import Scenes
from tracker_blur.tracking.tracklets import supported_tracklets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.parameters import ClassificationParameters, TrackingParameters
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.first_pass import RawTracks


@dataclass(frozen=True, slots=True)
class SceneMemory:
    """What earlier windows of a scene have shown: what was taken for a face once, stays one.

    Attributes:
        hidden: Identifiers of raw tracks that were hidden.
        trusted: Identifiers of raw tracks that the classifier took for faces.
        high_confidence_size: The size of the largest high-confidence face, in pixels; 0: none.
    """

    hidden: frozenset[int] = frozenset()
    trusted: frozenset[int] = frozenset()
    high_confidence_size: float = 0.0


def hidden_faces(
    raw: RawTracks, confidence: float, parameters: TrackingParameters, memory: SceneMemory
) -> tuple[list[LinkedTrack], SceneMemory]:
    """Return the faces to hide, with gaps, numbered in the order in which they appear.

    With them comes the memory of what this window has shown as well; what is hidden is up to the
    caller.

    Args:
        raw: What a first pass shows of a video, or of a window of it.
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
        memory: Of earlier windows of the scene.
    """
    tracks, odds = raw.tracks, parameters.classification
    pooled = {
        track.track_id: pooled_log_odds(raw.evidence.of([track.track_id]), odds)
        for track in tracks.tracks
    }
    likely = {number for number, one in pooled.items() if one >= odds.plausible_log_odds}
    trusted = memory.trusted | {
        number for number, one in pooled.items() if one >= odds.start_log_odds
    }
    settled = [track for track in tracks.tracks if pooled[track.track_id] >= odds.settled_log_odds]
    plausible = plausible_tracks(
        tracks,
        confidence,
        parameters.plausibility,
        likely,
        memory.hidden,
        memory.high_confidence_size,
    )
    high_confidence_size = largest_high_confidence_size(tracks, confidence, parameters.plausibility)
    tracklets = [
        tracklet
        for track in plausible
        for tracklet in supported_tracklets(
            without_false_ends(track, settled, tracks.size, raw.evidence, confidence, odds),
            raw,
            confidence,
            parameters,
            is_trusted=track.track_id in trusted,
        )
    ]
    scenes = Scenes(tracks.cuts, tracks.frame_count)
    linked = link_tracklets(tracklets, raw, scenes, parameters.linking)
    group = _Group.of(linked, raw, confidence, parameters)
    faces = [
        face
        for face in linked
        if face.raw_ids & memory.hidden
        or not _is_rejected(face, raw, confidence, parameters, group)
    ]
    return faces, SceneMemory(
        memory.hidden, trusted, max(memory.high_confidence_size, high_confidence_size)
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """The high-confidence faces of a window, which other heads may be among.

    Attributes:
        track_ids: Their identifiers, shape (N,).
        firsts: First frame of each, shape (N,).
        lasts: Last frame of each, shape (N,).
        sizes: Median size of each one's detections in pixels, shape (N,).
    """

    track_ids: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    lasts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls,
        faces: Sequence[LinkedTrack],
        raw: RawTracks,
        confidence: float,
        parameters: TrackingParameters,
    ) -> _Group:
        """Return the high-confidence ones of some faces that the classifier also takes for some."""
        limits, odds = parameters.plausibility, parameters.classification
        rows = []
        for face in faces:
            detected = _detected(face)
            if (
                len(detected) >= limits.high_confidence_detections
                and detected.scores.mean() >= limits.high_confidence_ratio * confidence
                and best_log_odds(face.raw_ids, raw.evidence, odds) >= odds.plausible_log_odds
            ):
                track = face.track
                rows.append((track.track_id, track.first, track.last, _size(detected)))
        ids, firsts, lasts, sizes = np.array(rows, np.float64).reshape(-1, 4).T
        return cls(ids.astype(int), firsts.astype(int), lasts.astype(int), sizes)

    def surrounds(self, track: Track, size: float, parameters: ClassificationParameters) -> bool:
        """Return whether enough faces of about this size are seen at the same time as a track."""
        ratio = parameters.group_size_ratio
        are_near = (self.firsts <= track.last) & (self.lasts >= track.first)
        are_near &= (self.sizes * ratio > size) & (self.sizes < size * ratio)
        are_near &= self.track_ids != track.track_id
        return int(are_near.sum()) >= parameters.group_faces


def _is_rejected(
    face: LinkedTrack,
    raw: RawTracks,
    confidence: float,
    parameters: TrackingParameters,
    group: _Group,
) -> bool:
    """Return whether the classifier says that a track is no face."""
    odds, detected = parameters.classification, _detected(face)
    size = _size(detected)
    needed = needed_log_odds(
        size / min(raw.tracks.size),
        min(size, raw.evidence.view_px(face.raw_ids)),  # enlarged views show no more
        representative_score(detected.scores, odds),
        confidence,
        odds,
        len(raw.evidence.of(face.raw_ids)),
    )
    if cut_off(detected.boxes, raw.tracks.size).mean() > 0.5:  # half a face is not seen well
        needed -= odds.cut_off_log_odds
    if group.surrounds(face.track, size, odds):
        needed -= odds.group_log_odds
    return best_log_odds(face.raw_ids, raw.evidence, odds) < needed


def _detected(face: LinkedTrack) -> Track:
    """Return the detections of a face; without any, all of its boxes."""
    return face.track.rows(face.track.has(Origin.DETECTED)) or face.track


def _size(track: Track) -> float:
    return float(np.median(face_sizes(track.boxes)))
