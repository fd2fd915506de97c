"""Hands over the tracks of a video piece by piece, each as soon as no later frame changes it.

A piece is refined with what comes before and after it, up to a horizon: the longest time over which
one detection decides about another frame. A scene cut ends every track, so it ends the wait, too.
Where all that was seen is hidden and continues, only a new face could add something, which reaches
back less far: then the wait is shorter. In doubt, it is not shorter.

What a track is decided by as a whole, such as the classifier's pooled odds, is decided by what was
seen up to that horizon, and a raw track that was hidden in one piece is not dropped in the next.
Each of its detections needs the support of others there as well. Callers that need no early pieces
take whole scenes.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.tracks import Origin, Tracks
from tracker_blur.tracking.candidates import undecided
from tracker_blur.tracking.hidden_faces import SceneMemory, hidden_faces
from tracker_blur.tracking.horizon import Horizon, gap_frames, smoothing_seconds
from tracker_blur.tracking.smoothing import smooth_face

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.core.candidates import UntrackedDetections
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.first_pass import FirstPass, RawTracks, Seen
    from tracker_blur.tracking.linking import LinkedTrack


@dataclass(frozen=True, slots=True)
class Target:
    """One target class.

    Attributes:
        label: Its label.
        first_pass: Its first pass; those of all classes take the same frames.
        confidence: Score from which a detection counts.
        parameters: Tuning parameters.
        every_frames: How many frames it is from one detection frame to the next; 0: no longer than
            `ScheduleParameters.max_interval_seconds`.
    """

    label: str
    first_pass: FirstPass
    confidence: float
    parameters: TrackingParameters
    every_frames: int = 0

    def horizon(self, margin_seconds: float) -> Horizon:
        """Return the horizon of any piece."""
        return Horizon.of(self.parameters, margin_seconds, self.every_frames)


class TrackFinalizer:
    """Makes pieces of final tracks of what first passes have seen so far.

    Args:
        targets: The target classes, at least one.
        margin_seconds: How long before its first and after its last detection a face is hidden.
        by_scene: Whether pieces are whole scenes: then all of a scene decides about each frame.
    """

    def __init__(
        self, targets: Sequence[Target], margin_seconds: float, *, by_scene: bool = False
    ) -> None:
        numbers = count()
        self._classes = [_FinalClass(target, margin_seconds, numbers) for target in targets]
        self._passes = [target.first_pass for target in targets]
        self._horizon = self._longest([each.horizon(margin_seconds) for each in targets])
        self._certain = self._longest(
            [Horizon.of_certain(each.parameters, margin_seconds) for each in targets]
        )
        piece_units = self._units(targets[0].parameters.first_pass.piece_seconds)
        self._piece = int(np.iinfo(np.int64).max) if by_scene else piece_units, 0
        self._start = 0
        self._is_uncertain = False  # whether the next piece waits for all of the horizon

    def add(self, seen: Sequence[Seen]) -> None:
        """Take what was seen when the next frame was observed, for each class."""
        for first_pass, one in zip(self._passes, seen, strict=True):
            first_pass.add(one)

    def end(self) -> None:
        """Note that no more frames follow: all are final."""
        for first_pass in self._passes:
            first_pass.end()

    def pieces(self) -> Iterator[Tracks]:
        """Yield the tracks of the next frames that are final, in pieces; cuts as `joined` says.

        Identifiers number the tracks of all classes, in the order in which they are handed over.
        """
        while (stop := self._next()) is not None:
            yield self._taken(stop)

    def _units(self, seconds: float) -> int:
        return math.ceil(seconds / self._passes[0].time_base)

    def _longest(self, horizons: Sequence[Horizon]) -> tuple[int, int]:
        """Return a distance, in units of the time base and in frames, that covers these."""
        longest = max(one.seconds for one in horizons)
        return self._units(longest), max(one.frames for one in horizons)

    def _next(self) -> int | None:
        """Refine the next piece, if it is final, and return where it ends.

        The windows that decide about it follow from the frames' times, the cuts and what the
        windows show, no matter how much is known by now.
        """
        known = self._passes[0].frame_count
        if self._start == known:
            return None
        stop = self._later(self._start, self._piece)
        _, scene_stop = self._passes[0].scene(self._start)
        if stop < known:
            for distance in (self._certain, self._horizon):
                last = self._later(stop, distance)
                if last >= known or (scene_stop is not None and last >= scene_stop):
                    break
                if last >= min(one.final_count for one in self._passes):
                    return None
                if distance is self._certain and self._is_uncertain:
                    continue
                is_certain = self._refine(stop, last + 1)
                if is_certain or distance is self._horizon:
                    return stop
                self._is_uncertain = True
        if scene_stop is None:
            return None
        self._refine(scene_stop, scene_stop)
        return scene_stop

    def _later(self, frame: int, distance: tuple[int, int]) -> int:
        """Return the first frame that is later by this much."""
        units, frames = distance
        return self._passes[0].later(frame, units) + frames

    def _window_start(self, frame: int) -> int:
        """Return the first frame of the window that decides about a piece that starts here."""
        units, frames = self._horizon
        start = self._passes[0].earlier(frame, units)
        return max(self._passes[0].scene(frame)[0], start - frames)

    def _refine(self, stop: int, window_stop: int) -> bool:
        """Refine the next piece with this window; return whether it is certain."""
        window = self._window_start(self._start), window_stop
        certain = [one.refine(window, (self._start, stop)) for one in self._classes]
        return all(certain)

    def _taken(self, stop: int) -> Tracks:
        """Return the piece that was refined last, and continue with the next."""
        start, self._start, self._is_uncertain = self._start, stop, False
        is_scene_start = self._passes[0].scene(start)[0] == start
        times = self._passes[0].times(start, stop)  # they may be forgotten below
        tracks = [track for one in self._classes for track in one.taken()]
        tracks.sort(key=lambda track: track.track_id)
        untracked = tuple(one.untracked() for one in self._classes)
        if stop < self._passes[0].frame_count:
            is_cut = self._passes[0].scene(stop)[0] == stop
            for first_pass, one in zip(self._passes, self._classes, strict=True):
                first_pass.forget(self._window_start(stop))
                if is_cut:
                    one.begin_scene()
        return Tracks(
            self._passes[0].size,
            self._passes[0].time_base,
            times,
            (0,) if is_scene_start and start else (),
            tuple(tracks),
            untracked=tuple(seen for seen in untracked if len(seen)),
        )


@dataclass(frozen=True)
class _Refined:
    """A piece of one class, refined with a window around it. Frames count from the window's first.

    Attributes:
        raw: What was seen in the window.
        faces: The faces to hide.
        memory: Of this window and those before.
        window_start: The window's first frame, in the video.
        start: First frame of the piece.
        stop: The frame after its last.
    """

    raw: RawTracks
    faces: list[LinkedTrack]
    memory: SceneMemory
    window_start: int
    start: int
    stop: int


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

    def refine(self, window: tuple[int, int], piece: tuple[int, int]) -> bool:
        """Refine a piece, which is a part of a window; both are given by their ends.

        Return whether it is certain: all that was detected or tracked there, or near enough to be
        linked, is hidden, and continues beyond the piece.
        """
        target = self._target
        raw = target.first_pass.window(*window)
        faces, memory = hidden_faces(raw, target.confidence, target.parameters, self._memory)
        start, stop = piece[0] - window[0], piece[1] - window[0]
        self._refined = _Refined(raw, faces, memory, window[0], start, stop)
        return self._is_certain(self._refined)

    def _is_certain(self, refined: _Refined) -> bool:
        parameters, seconds = self._target.parameters, refined.raw.tracks.seconds
        smoothing = smoothing_seconds(parameters)
        earliest = seconds[refined.start] - parameters.linking.longest_gap_seconds - smoothing
        near = (seconds >= earliest) & (seconds <= seconds[refined.stop - 1] + smoothing)
        first, last = np.flatnonzero(near)[[0, -1]].tolist()
        first = max(0, first - gap_frames(parameters, self._target.every_frames))
        if any(first <= face.track.last <= last for face in refined.faces):
            return False
        hidden = {
            (part.track_id, frame)
            for face in refined.faces
            for part in face.parts
            for frame in part.frames.tolist()
        }
        return all(
            (track.track_id, frame) in hidden
            for track in refined.raw.tracks.tracks
            for frame in track.frames[~track.has(Origin.HELD)].tolist()
            if first <= frame <= last
        )

    def taken(self) -> Iterator[Track]:
        """Yield the tracks of the piece that was refined last; its frames count from its start."""
        refined, label = self._refined, self._target.label
        known = self._known_numbers(refined)
        hidden: set[int] = set()
        self._anchors = {}
        for index, face in enumerate(refined.faces):
            part = smooth_face(
                face,
                refined.raw.tracks,
                self._margin_seconds,
                self._target.parameters.smoothing,
                (refined.start, refined.stop),
            )
            if part is None:
                continue
            hidden |= {raw.track_id for raw in face.parts if raw.first < refined.stop}
            number = known[index] if index in known else next(self._numbers)
            track_id, frame = _anchor(face, refined.stop - 1)
            self._anchors[number] = track_id, frame + refined.window_start
            frames = part.frames - np.int32(refined.start)
            yield replace(part, track_id=number, frames=frames, label=label)
        self._memory = replace(refined.memory, hidden=refined.memory.hidden | hidden)

    def untracked(self) -> UntrackedDetections:
        """Return what may be faces but is not hidden, of the piece that was refined last."""
        refined, target = self._refined, self._target
        seen = undecided(refined.raw, refined.faces, target.label, target.parameters)
        return seen.between(refined.start, refined.stop)

    def _known_numbers(self, refined: _Refined) -> dict[int, int]:
        """Return the identifiers of faces that were in the last piece, by their index."""
        parts: dict[int, list[tuple[int, Track]]] = {}
        for index, face in enumerate(refined.faces):
            for part in face.parts:
                parts.setdefault(part.track_id, []).append((index, part))
        known: dict[int, int] = {}
        for number, (track_id, frame) in sorted(self._anchors.items()):
            for index, part in parts.get(track_id, ()):
                if frame - refined.window_start in part.frames:
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
