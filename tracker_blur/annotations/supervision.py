"""Tracks as `supervision.Detections`, frame by frame, and back (extra: supervision).

    annotator = supervision.BoxAnnotator()
    annotator.annotate(image, to_supervision(tracks, frame))

Nothing of a track is lost: what Detections have no word for is in their `data`, as "hide", "method"
("" for the settings') and "origin"; labels are in "class_name".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tracker_blur.annotations.rows import RefusedError, TrackCollector
from tracker_blur.core.tracks import ORIGINS, Tracks
from tracker_blur.errors import MissingPackageError, SettingsError

if TYPE_CHECKING:
    import supervision

_CARRIED = ("hide", "method", "class_name", "origin")


def to_supervision(tracks: Tracks, frame: int) -> supervision.Detections:
    """Return all faces of a frame, hidden or not, in the order of their tracks.

    `class_id` numbers the labels of all tracks, sorted. Raises MissingPackageError.
    """
    try:
        import supervision
    except ImportError as error:
        raise MissingPackageError("supervision", "supervision", "to_supervision") from error
    labels = sorted({track.label for track in tracks.tracks})
    found = [
        (track, row)
        for track in tracks.tracks
        for row in np.flatnonzero(track.frames == frame).tolist()
    ]
    boxes = [track.boxes[row] for track, row in found]
    return supervision.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.array([track.scores[row] for track, row in found], np.float32),
        class_id=np.array([labels.index(track.label) for track, _ in found], np.int64),
        tracker_id=np.array([track.track_id for track, _ in found], np.int64),
        data={
            "class_name": np.array([track.label for track, _ in found], np.str_),
            "hide": np.array([track.hide for track, _ in found], np.bool_),
            "method": np.array([track.method or "" for track, _ in found], np.str_),
            "origin": np.array(
                [ORIGINS[track.origins[row]].value for track, row in found], np.str_
            ),
        },
    )


def from_supervision(frames: Iterable[tuple[int, supervision.Detections]], like: Tracks) -> Tracks:
    """Return the tracks of frames' detections; `like` is of the same video.

    Detections by other programs become boxes of the origin DRAWN, in tracks that are hidden. A
    track is left visible only if all its detections say so. Raises SettingsError for detections
    without a tracker_id, and for values that make no sense.
    """
    collector = TrackCollector(like.frame_count)
    facts: dict[int, dict[str, Any]] = {}
    for frame, detections in frames:
        try:
            _add(collector, facts, int(frame), detections)
        except RefusedError as error:
            raise SettingsError(f"detections of frame {frame}: {error}") from error
    for track_id, said in facts.items():
        try:
            collector.describe(track_id, said["hide"], said["method"], said["class_name"])
        except RefusedError as error:
            raise SettingsError(f"detections of track {track_id}: {error}") from error
    return replace(like, tracks=collector.tracks())


def _add(
    collector: TrackCollector,
    facts: dict[int, dict[str, Any]],
    frame: int,
    detections: supervision.Detections,
) -> None:
    count = len(detections.xyxy)
    if count and detections.tracker_id is None:
        raise RefusedError("have no tracker_id: give them to a tracker first")
    scores = np.ones(count) if detections.confidence is None else detections.confidence
    carried = {
        name: np.asarray(values).tolist()
        for name, values in detections.data.items()
        if name in _CARRIED
    }
    for row, (box, score) in enumerate(
        zip(np.asarray(detections.xyxy).tolist(), np.asarray(scores).tolist(), strict=True)
    ):
        said = {name: values[row] for name, values in carried.items()}
        track_id = int(np.asarray(detections.tracker_id)[row])
        collector.add(track_id, frame, box, score, said.get("origin", "drawn"))
        old = facts.setdefault(track_id, {"hide": False, "method": None, "class_name": "face"})
        old["hide"] = old["hide"] or said.get("hide", True)
        old["method"] = old["method"] or said.get("method") or None
        old["class_name"] = said.get("class_name", old["class_name"])
