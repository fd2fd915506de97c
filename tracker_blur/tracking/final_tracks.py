"""Hands over the tracks of a video piece by piece, each as soon as no later frame changes it.

A piece is refined with what comes before and after it, up to a horizon: the longest time over which
one detection decides about another frame. A scene cut ends every track, so it ends the wait, too.
What a track is decided by as a whole, such as the classifier's pooled odds, is decided by what was
seen up to that horizon; and what was hidden in one piece stays hidden in the next.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Self

import numpy as np

from tracker_blur.core.tracks import Origin, Tracks
from tracker_blur.tracking.smoothing import SceneMemory, hidden_faces, smooth_face

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.first_pass import FirstPass
    from tracker_blur.tracking.linking import LinkedTrack


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far away in time a raw track may still change what is hidden in a frame.

    Attributes:
        seconds: At least so far,
        frames: and at least so many frames.
    """

    seconds: float
    frames: int

    @classmethod
    def of(cls, parameters: TrackingParameters, margin_seconds: float) -> Self:
        """Return the horizon that follows from the tuning parameters.

        Args:
            parameters: Tuning parameters.
            margin_seconds: How long before its first and after its last detection a face is hidden.
        """
        linking, smoothing = parameters.linking, parameters.smoothing
        interval = parameters.schedule.max_interval_seconds
        # A face is hidden this far from a detection: in a gap, or in a margin.
        reach = max(
            linking.max_still_gap_seconds,
            linking.max_moving_gap_seconds,
            margin_seconds,
            smoothing.border_seconds,
        )
        # Whether that detection counts depends on others, this far from it.
        support = max(
            parameters.online.low_confidence_seconds
            + interval * parameters.online.agreeing_detections,
            interval * parameters.plausibility.large_window_detections,
        )
        velocity = max(linking.velocity_seconds, smoothing.velocity_seconds)
        windows = smoothing.median_half_window_seconds + 2 * smoothing.half_window_seconds
        return cls(
            reach + support + velocity + windows,
            smoothing.min_margin_frames + parameters.online.agreeing_detections,
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One target class.

    Attributes:
        label: Its label.
        first_pass: Its first pass; those of all classes take the same frames.
        confidence: Score from which a detection counts.
        parameters: Tuning parameters.
    """

    label: str
    first_pass: FirstPass
    confidence: float
    parameters: TrackingParameters


class TrackFinalizer:
    """Makes pieces of final tracks of what first passes have seen so far.

    Args:
        targets: The target classes, at least one.
        margin_seconds: How long before its first and after its last detection a face is hidden.
    """

    def __init__(self, targets: Sequence[Target], margin_seconds: float) -> None:
        numbers = count()
        self._classes = [_FinalClass(target, margin_seconds, numbers) for target in targets]
        self._passes = [target.first_pass for target in targets]
        horizons = [Horizon.of(target.parameters, margin_seconds) for target in targets]
        self._horizon_units = self._units(max(one.seconds for one in horizons))
        self._horizon_frames = max(one.frames for one in horizons)
        limits = targets[0].parameters.first_pass
        self._piece_units = self._units(limits.piece_seconds)
        self._start = 0

    def pieces(self) -> Iterator[Tracks]:
        """Yield the tracks of the next frames that are final, in pieces; cuts as `joined` says.

        Identifiers number the tracks of all classes, in the order in which they are handed over.
        """
        while (span := self._next()) is not None:
            yield self._piece(*span)

    def _units(self, seconds: float) -> int:
        return math.ceil(seconds / self._passes[0].time_base)

    def _next(self) -> tuple[int, int] | None:
        """Return the ends of the next piece, and of the window that decides about it.

        Both follow from the frames' times and the cuts, however many frames are known.
        """
        known = self._passes[0].frame_count
        if self._start == known:
            return None
        stop = self._later(self._start, self._piece_units, 1)
        _, scene_stop = self._passes[0].scene(self._start)
        if stop < known:
            last = self._later(stop, self._horizon_units, self._horizon_frames)
            if last < known and (scene_stop is None or last < scene_stop):
                is_final = last < min(one.final_count for one in self._passes)
                return (stop, last + 1) if is_final else None
        return None if scene_stop is None else (scene_stop, scene_stop)

    def _later(self, frame: int, units: int, frames: int) -> int:
        """Return the first frame that is later by so much, and by so many frames."""
        latest = self._passes[0].latest
        return max(bisect_left(latest, latest[frame] + units, frame), frame + frames)

    def _window_start(self, frame: int) -> int:
        """Return the first frame of the window that decides about a piece that starts here."""
        latest = self._passes[0].latest
        start = bisect_left(latest, latest[frame] - self._horizon_units, 0, frame)
        scene_start, _ = self._passes[0].scene(frame)
        return max(scene_start, min(start, frame - self._horizon_frames))

    def _piece(self, stop: int, window_stop: int) -> Tracks:
        start, self._start = self._start, stop
        window_start = self._window_start(start)
        is_scene_start = self._passes[0].scene(start)[0] == start
        tracks: list[Track] = []
        for one in self._classes:
            if is_scene_start:
                one.begin_scene()
            tracks += one.piece(window_start, start, stop, window_stop)
        tracks.sort(key=lambda track: track.track_id)
        if stop < self._passes[0].frame_count:
            for first_pass in self._passes:
                first_pass.forget(self._window_start(stop))
        return Tracks(
            self._passes[0].size,
            self._passes[0].time_base,
            self._passes[0].times(start, stop),
            (0,) if is_scene_start and start else (),
            tuple(tracks),
        )


class _FinalClass:
    """The final tracks of one class.

    Args:
        target: The class.
        margin_seconds: As for `TrackFinalizer`.
        numbers: Identifiers of new tracks.
    """

    def __init__(self, target: Target, margin_seconds: float, numbers: Iterator[int]) -> None:
        self._target = target
        self._margin_seconds = margin_seconds
        self._numbers = numbers
        self.begin_scene()

    def begin_scene(self) -> None:
        """Forget what was decided: no track crosses a cut."""
        self._memory = SceneMemory()
        # A detection of each track of the last piece, by identifier: its raw track and frame.
        self._anchors: dict[int, tuple[int, int]] = {}

    def piece(self, window_start: int, start: int, stop: int, window_stop: int) -> Iterator[Track]:
        """Yield the tracks of a piece, which is a part of a window; frames count from its start."""
        target = self._target
        raw = target.first_pass.window(window_start, window_stop)
        faces = hidden_faces(raw, target.confidence, target.parameters, self._memory)
        first, last = start - window_start, stop - 1 - window_start
        known = self._known_numbers(faces, window_start)
        anchors: dict[int, tuple[int, int]] = {}
        for index, face in enumerate(faces):
            smooth = smooth_face(
                face, raw.tracks, self._margin_seconds, target.parameters.smoothing
            )
            part = smooth.rows((smooth.frames >= first) & (smooth.frames <= last))
            if part is None:
                continue
            self._memory.hidden |= {raw.track_id for raw in face.parts if raw.first <= last}
            number = known[index] if index in known else next(self._numbers)
            track_id, frame = _anchor(face, last)
            anchors[number] = track_id, frame + window_start
            frames = part.frames - np.int32(first)
            yield replace(part, track_id=number, frames=frames, label=target.label)
        self._anchors = anchors

    def _known_numbers(self, faces: Sequence[LinkedTrack], window_start: int) -> dict[int, int]:
        """Return the identifiers of faces that were in the last piece, by their index."""
        parts: dict[int, list[tuple[int, Track]]] = {}
        for index, face in enumerate(faces):
            for part in face.parts:
                parts.setdefault(part.track_id, []).append((index, part))
        known: dict[int, int] = {}
        for number, (track_id, frame) in sorted(self._anchors.items()):
            for index, part in parts.get(track_id, ()):
                if frame - window_start in part.frames:
                    known.setdefault(index, number)
        return known


def _anchor(face: LinkedTrack, last: int) -> tuple[int, int]:
    """Return the newest detection up to this frame that a face is made of: raw track and frame."""
    detections = [
        (part.track_id, part.frames[part.has(Origin.DETECTED)].tolist()) for part in face.parts
    ]
    for track_id, frames in reversed(detections):
        if frames[0] <= last:
            return track_id, frames[bisect_right(frames, last) - 1]
    return detections[0][0], detections[0][1][0]  # only its margin has begun
