"""Which raw tracks are faces to hide: plausible, supported, linked, and not rejected; no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.evidence import best_log_odds, needed_log_odds, pooled_log_odds
from tracker_blur.tracking.linking import LinkedTrack, link_tracklets
from tracker_blur.tracking.plausibility import cut_off, face_sizes
from tracker_blur.tracking.plausible_tracks import largest_high_confidence_size, plausible_tracks
from tracker_blur.tracking.scene_cuts import Scenes
from tracker_blur.tracking.tracklets import supported_tracklets

if TYPE_CHECKING:
    from tracker_blur.core.parameters import TrackingParameters
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
            track, raw, confidence, parameters, is_trusted=track.track_id in trusted
        )
    ]
    scenes = Scenes(tracks.cuts, tracks.frame_count)
    faces = [
        face
        for face in link_tracklets(tracklets, raw, scenes, parameters.linking)
        if face.raw_ids & memory.hidden or not _is_rejected(face, raw, confidence, parameters)
    ]
    return faces, SceneMemory(
        memory.hidden, trusted, max(memory.high_confidence_size, high_confidence_size)
    )


def _is_rejected(
    face: LinkedTrack, raw: RawTracks, confidence: float, parameters: TrackingParameters
) -> bool:
    """Return whether the classifier says that a track is no face."""
    track = face.track
    detected = track.rows(track.has(Origin.DETECTED)) or track
    needed = needed_log_odds(
        float(np.median(face_sizes(detected.boxes))) / min(raw.tracks.size),
        float(detected.scores.max()),
        confidence,
        parameters.classification,
        len(raw.evidence.of(face.raw_ids)),
    )
    if cut_off(detected.boxes, raw.tracks.size).mean() > 0.5:  # half a face is not seen well
        needed -= parameters.classification.cut_off_log_odds
    return best_log_odds(face.raw_ids, raw.evidence, parameters.classification) < needed
