"""Tracks as `supervision.Detections`, frame by frame, and back (extra: supervision).

    annotator = supervision.BoxAnnotator()
    annotator.annotate(image, to_supervision(tracks, frame))
    annotator.annotate(image, to_supervision(redactor.detect(image)))

Nothing of a track is lost. Their `data` carries what Detections have no field for: "hide", "method"
("" for the settings' method) and "origin". Labels are in "class_name".
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tracker_blur.annotations.rows import TrackCollector
from tracker_blur.annotations.values import InvalidValueError
from tracker_blur.core.box import Detection
from tracker_blur.core.tracks import ORIGINS, Tracks
from tracker_blur.errors import InputError, MissingPackageError, SettingsError
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import supervision

_CARRIED = ("hide", "method", "class_name", "origin")


@overload
def to_supervision(faces: Tracks, frame: int) -> supervision.Detections: ...
@overload
def to_supervision(faces: Iterable[Detection]) -> supervision.Detections: ...
def to_supervision(
    faces: Tracks | Iterable[Detection], frame: int | None = None
) -> supervision.Detections:
    """Return faces as `supervision.Detections`, in their order.

    `class_id` numbers the labels, sorted; those of tracks are the labels of all tracks.

    Args:
        faces: the detections of an image; or the tracks of a video.
        frame: the frame of the video, from 0: all of its faces are returned, hidden or not.

    Raises:
        InputError: A frame was given without tracks, or tracks without a frame.
        MissingPackageError: The package supervision is not installed.
    """
    if isinstance(faces, Tracks):
        if not isinstance(frame, int):
            raise InputError(f"frame is {frame!r}: give the number of a frame, from 0")
        return _of_tracks(faces, frame)
    if frame is not None:
        raise InputError("a frame can be chosen only of tracks: give Tracks")
    is_list = isinstance(faces, Iterable) and getattr(faces, "ndim", 1) != 0
    detections: list[Any] = list(faces) if is_list else [faces]
    if not all(isinstance(detection, Detection) for detection in detections):
        raise InputError("the faces are no detections: give Tracks, or what `detect` returned")
    labels = sorted({detection.label for detection in detections})
    boxes = [detection.box.as_tuple() for detection in detections]
    return _detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.array([detection.score for detection in detections], np.float32),
        class_id=np.array([labels.index(each.label) for each in detections], np.int64),
        data={"class_name": np.array([each.label for each in detections], np.str_)},
    )


def _detections(**columns: Any) -> supervision.Detections:
    try:
        import supervision
    except ImportError as error:
        raise MissingPackageError("supervision", "supervision", "to_supervision") from error
    return supervision.Detections(**columns)


def _of_tracks(tracks: Tracks, frame: int) -> supervision.Detections:
    labels = sorted({track.label for track in tracks.tracks})
    faces = [
        (track, row)
        for track in tracks.tracks
        for row in np.flatnonzero(track.frames == frame).tolist()
    ]
    boxes = [track.boxes[row] for track, row in faces]
    return _detections(
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
        InputError: An argument is of another type.
        SettingsError: Detections have no tracker_id, or a value is invalid.
    """
    if not isinstance(like, Tracks):
        raise InputError(f"like is {like!r}: give tracks of the same video")
    collector = TrackCollector(like.frame_count)
    properties: dict[int, dict[str, Any]] = {}
    for frame, detections in _pairs(frames):
        with _explained(f"frame {frame}"):
            _add(collector, properties, int(frame), detections)
    for track_id, known in properties.items():
        with _explained(f"track {track_id}"):
            collector.describe(track_id, known["hide"], known["method"], known["class_name"])
    return replace(like, tracks=collector.tracks())


def _pairs(frames: object) -> Iterator[tuple[int, supervision.Detections]]:
    if isinstance(frames, Iterable):
        for pair in frames:
            is_pair = isinstance(pair, tuple) and len(pair) == 2
            if not (is_pair and isinstance(pair[0], Integral) and hasattr(pair[1], "xyxy")):
                break
            yield pair
        else:
            return
    raise InputError("the frames are no pairs: give (frame, supervision.Detections) of each")


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
