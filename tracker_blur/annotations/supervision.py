"""Tracks as `supervision.Detections`, frame by frame, and back (extra: supervision).

    annotator = supervision.BoxAnnotator()
    annotator.annotate(image, to_supervision(tracks, frame))

Nothing of a track is lost. Their `data` carries what Detections have no field for: "hide", "method"
("" for the settings' method) and "origin". Labels are in "class_name".
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tracker_blur.annotations.rows import InvalidValueError, TrackCollector
from tracker_blur.core.tracks import ORIGINS, Tracks
from tracker_blur.errors import MissingPackageError, SettingsError
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import supervision

_CARRIED = ("hide", "method", "class_name", "origin")


def to_supervision(tracks: Tracks, frame: int) -> supervision.Detections:
    """Return all faces of a frame, hidden or not, in the order of their tracks.

    `class_id` numbers the labels of all tracks, sorted.

    Raises:
        MissingPackageError: The package supervision is not installed.
    """
    try:
        import supervision
    except ImportError as error:
        raise MissingPackageError("supervision", "supervision", "to_supervision") from error
    labels = sorted({track.label for track in tracks.tracks})
    faces = [
        (track, row)
        for track in tracks.tracks
        for row in np.flatnonzero(track.frames == frame).tolist()
    ]
    boxes = [track.boxes[row] for track, row in faces]
    return supervision.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.array([track.scores[row] for track, row in faces], np.float32),
        class_id=np.array([labels.index(track.label) for track, _ in faces], np.int64),
        tracker_id=np.array([track.track_id for track, _ in faces], np.int64),
        data={
            "class_name": np.array([track.label for track, _ in faces], np.str_),
            "hide": np.array([track.hide for track, _ in faces], np.bool_),
            "method": np.array([track.method or "" for track, _ in faces], np.str_),
            "origin": np.array(
                [ORIGINS[track.origins[row]].value for track, row in faces], np.str_
            ),
        },
    )


def from_supervision(frames: Iterable[tuple[int, supervision.Detections]], like: Tracks) -> Tracks:
    """Return the tracks of detections.

    Detections by other programs become boxes of the origin DRAWN, in tracks that are hidden. A
    track is left visible only if all its detections say so.

    Args:
        frames: frame numbers and their detections.
        like: tracks of the same video.

    Raises:
        SettingsError: Detections have no tracker_id, or a value is invalid.
    """
    collector = TrackCollector(like.frame_count)
    properties: dict[int, dict[str, Any]] = {}
    for frame, detections in frames:
        with _explained(f"frame {frame}"):
            _add(collector, properties, int(frame), detections)
    for track_id, known in properties.items():
        with _explained(f"track {track_id}"):
            collector.describe(track_id, known["hide"], known["method"], known["class_name"])
    return replace(like, tracks=collector.tracks())


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except InvalidValueError as error:
        raise SettingsError(f"detections of {name}: {error}") from error


def _add(
    collector: TrackCollector,
    properties: dict[int, dict[str, Any]],
    frame: int,
    detections: supervision.Detections,
) -> None:
    count = len(detections.xyxy)
    if count and detections.tracker_id is None:
        raise InvalidValueError("have no tracker_id: give them to a tracker first")
    scores = np.ones(count) if detections.confidence is None else detections.confidence
    carried = {
        name: np.asarray(values).tolist()
        for name, values in detections.data.items()
        if name in _CARRIED
    }
    for row, (box, score) in enumerate(
        zip(np.asarray(detections.xyxy).tolist(), np.asarray(scores).tolist(), strict=True)
    ):
        given = {name: values[row] for name, values in carried.items()}
        track_id = int(np.asarray(detections.tracker_id)[row])
        collector.add(track_id, frame, box, score, given.get("origin", "drawn"))
        known = properties.setdefault(track_id, {"hide": False, "method": None, "class_name": FACE})
        known["hide"] = known["hide"] or given.get("hide", True)
        known["method"] = known["method"] or given.get("method") or None
        known["class_name"] = given.get("class_name", known["class_name"])
