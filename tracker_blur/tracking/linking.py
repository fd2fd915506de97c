"""Divides a raw track into pieces that rest on finds; no pixels, no files.

Joins pieces of tracks that are one face, by place, course, size and colors; no pixels.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, TracksBuilder
from tracker_blur.tracking.appearance import Appearance, common
from tracker_blur.tracking.association import FAR, assign_sparse, distance
from tracker_blur.tracking.first_pass import RawTracks
from tracker_blur.tracking.online import WEAK_SECONDS
from tracker_blur.tracking.scene_cuts import Scenes
from tracker_blur.tracking.track_state import AGREEING_LOOKS, AGREEING_SHARE

_UNFOUNDED_SECONDS = 0.08  # what a tracker alone says, at an end, is believed so near to a find
_GAP_SECONDS = 0.3  # a find that is farther from the next one, with looks in vain between them,
_VAIN_LOOKS = 2  # at least so many, ends a piece
_ROUNDING_SECONDS = 1e-6  # times are exact, seconds are not


@dataclass(frozen=True)
class Tracklet:
    """A part of a raw track.

    core   what is believed; its first and last find are at most a moment from its ends
    fray   what a tracker carried on from there, in both directions, believed by nobody alone
    """

    core: Track
    fray: Track | None


def supported_tracklets(
    track: Track,
    seconds: npt.NDArray[np.float64],
    looked: npt.NDArray[np.int32],
    confidence: float,
) -> list[Tracklet]:
    """Return what of a raw track rests on finds.

    A find is believed when it is sure or a sure one is near in time. What a tracker carried is
    believed between two such finds, unless the detector looked in vain for long, and close to one.

    seconds     time of each frame of the video
    looked      frames that the detector looked at, ascending
    confidence  the score from which a find is sure
    """
    times = seconds[track.frames]
    sure = is_sure(track, confidence)
    if not sure.any():
        return []
    believed = track.has(Origin.DETECTED) & (
        _time_to(times, times[sure]) <= WEAK_SECONDS + _ROUNDING_SECONDS
    )
    followed = track.has(Origin.FOLLOWED)
    near = followed & (_time_to(times, times[believed]) <= _UNFOUNDED_SECONDS + _ROUNDING_SECONDS)
    rows = np.flatnonzero(believed)
    frames = track.frames[rows]
    in_vain = np.searchsorted(looked, frames[1:]) - np.searchsorted(looked, frames[:-1], "right")
    ends = (np.diff(times[rows]) > _GAP_SECONDS + _ROUNDING_SECONDS) & (in_vain >= _VAIN_LOOKS)
    firsts = rows[np.flatnonzero(np.concatenate([[True], ends]))]
    lasts = rows[np.flatnonzero(np.concatenate([ends, [True]]))]
    pieces = []
    every = np.arange(len(track))
    for index, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        before = lasts[index - 1] if index else -1
        after = firsts[index + 1] if index + 1 < len(firsts) else len(track)
        around = (every > before) & (every < after)
        inside = (every >= first) & (every <= last)
        core = track.rows(around & (believed | near | (followed & inside)))
        if core is not None:
            pieces.append(Tracklet(core, track.rows(around & followed & ~inside)))
    return pieces


def is_sure(track: Track, confidence: float) -> npt.NDArray[np.bool_]:
    """Return which rows are sure: strong finds, and weaker ones of which several agree in a row."""
    found = track.has(Origin.DETECTED)
    agreeing = found & (track.scores >= AGREEING_SHARE * confidence)
    row = np.arange(len(track))
    last_not = np.maximum.accumulate(np.where(agreeing, -1, row))
    next_not = np.minimum.accumulate(np.where(agreeing, len(track), row)[::-1])[::-1]
    in_row = next_not - last_not - 1
    strong = found & (track.scores >= confidence)
    return np.asarray(strong | (agreeing & (in_row >= AGREEING_LOOKS)), np.bool_)


def _time_to(
    times: npt.NDArray[np.float64], marks: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how long it is from each time to the nearest mark; marks ascend, at least one."""
    after = np.searchsorted(marks, times)
    to_next = np.abs(marks[np.minimum(after, len(marks) - 1)] - times)
    to_last = np.abs(times - marks[np.maximum(after - 1, 0)])
    return np.asarray(np.minimum(to_next, to_last), np.float64)


# Picked on the shared clips, by exposed faces against hidden area (docs/design.md).
_JOIN_SECONDS = 2.0  # the longest gap in which a face may have moved
_JOIN_STILL_SECONDS = 3.0  # and in which a face stayed where it was
_JOIN_SIZES = 0.8  # how far, in face sizes, it may be from where its course leads
_JOIN_SIZES_PER_SECOND = 0.5
_STILL_SIZES = 0.5
_JOIN_SIZE_RATIO = 1.6
_JOIN_LOOK = 0.7  # share of the colors that two sights of one face have in common, at least
_COURSE_SECONDS = 0.4  # how long before its end a track's velocity is measured, and holds


@dataclass(frozen=True, slots=True)
class _End:
    """Where a track was found first or last, and how it moves there, pixels a second."""

    frame: int
    box: Box
    velocity: tuple[float, float]
    look: bytes

    def at(self, elapsed: float) -> Box:
        elapsed = max(-_COURSE_SECONDS, min(_COURSE_SECONDS, elapsed))
        return self.box.moved(self.velocity[0] * elapsed, self.velocity[1] * elapsed)


@dataclass(frozen=True)
class LinkedTrack:
    """A face.

    track  its rows, with gaps
    fray   what trackers carried into the gaps from their ends; None if nothing
    """

    track: Track
    fray: Track | None


def joined(pieces: Sequence[Tracklet], seen: RawTracks, scenes: Scenes) -> list[LinkedTrack]:
    """Return the pieces as faces, those that are one face as one, numbered as they appear."""
    follows = _successors(pieces, seen, scenes)
    later = set(follows.values())
    faces = []
    for head in range(len(pieces)):
        if head in later:
            continue
        chain = [head]
        while chain[-1] in follows:
            chain.append(follows[chain[-1]])
        faces.append(_merged([pieces[index] for index in chain]))
    faces.sort(key=lambda face: (face.track.first, face.track.track_id))
    return [
        replace(face, track=replace(face.track, track_id=index)) for index, face in enumerate(faces)
    ]


def _successors(pieces: Sequence[Tracklet], seen: RawTracks, scenes: Scenes) -> dict[int, int]:
    """Return which piece continues which, by index; each is in at most one pair as either.

    What following found comes first, then the assignment of least total cost.
    """
    seconds = seen.tracks.seconds
    cores = [piece.core for piece in pieces]
    ends = [_ends(core, seconds, seen.looks) for core in cores]
    pairs = _linked(cores, ends, seen.links)
    taken = set(pairs.values())
    later_ones = [index for index in range(len(cores)) if index not in taken]
    later_ones.sort(key=lambda index: ends[index][0].frame)
    start_frames = [ends[index][0].frame for index in later_ones]
    candidates: list[tuple[int, int, float]] = []
    for earlier, (_, end) in enumerate(ends):
        if earlier in pairs:
            continue
        _, scene_end = scenes.of(end.frame)
        latest = np.searchsorted(seconds, seconds[end.frame] + _JOIN_STILL_SECONDS, "right")
        low = bisect_right(start_frames, end.frame)
        high = bisect_left(start_frames, min(scene_end, int(latest)))
        for later in later_ones[low:high]:
            start = ends[later][0]
            gap = float(seconds[start.frame] - seconds[end.frame])
            cost = _cost(end, start, gap, cores[earlier].track_id == cores[later].track_id)
            if cost < FAR:
                candidates.append((earlier, later, cost))
    return pairs | dict(assign_sparse(candidates))


def _linked(
    cores: Sequence[Track], ends: Sequence[tuple[_End, _End]], links: Sequence[tuple[int, int]]
) -> dict[int, int]:
    """Return the pairs that following found: the last piece of one track, the first of another."""
    lasts = {core.track_id: index for index, core in enumerate(cores)}
    firsts = {core.track_id: len(cores) - 1 - i for i, core in enumerate(reversed(cores))}
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for earlier_id, later_id in links:
        earlier, later = lasts.get(earlier_id), firsts.get(later_id)
        if earlier is None or later is None or earlier in pairs or later in taken:
            continue
        if ends[earlier][1].frame < ends[later][0].frame:
            pairs[earlier] = later
            taken.add(later)
    return pairs


def _cost(end: _End, start: _End, gap: float, is_same_track: bool) -> float:
    """Return how unlike the end of a piece and the start of another are; FAR if too unlike.

    A track that was followed from one to the other may have turned its head: looks are no veto.
    """
    apart = distance(end.box, start.box)
    small, large = sorted((end.box.size, start.box.size))
    shared = common(end.look, start.look)
    if large > _JOIN_SIZE_RATIO * small or (shared < _JOIN_LOOK and not is_same_track):
        return FAR
    if apart <= _STILL_SIZES:
        return apart + 1 - shared
    if gap > _JOIN_SECONDS:
        return FAR
    apart = distance(end.at(gap), start.at(-gap) if gap > _COURSE_SECONDS else start.box)
    if apart > _JOIN_SIZES + _JOIN_SIZES_PER_SECOND * gap:
        return FAR
    return apart + 1 - shared


def _ends(track: Track, seconds: npt.NDArray[np.float64], looks: Appearance) -> tuple[_End, _End]:
    found = np.flatnonzero(track.has(Origin.DETECTED))
    return _end(track, found, seconds, looks), _end(track, found[::-1], seconds, looks)


def _end(
    track: Track,
    rows: npt.NDArray[np.intp],
    seconds: npt.NDArray[np.float64],
    looks: Appearance,
) -> _End:
    """Return the end that the first of these rows is at."""
    times = seconds[track.frames[rows]]
    near = rows[np.abs(times - times[0]) <= _COURSE_SECONDS]
    end, inner = int(near[0]), int(near[-1])
    box = track.box(end)
    elapsed = float(seconds[track.frames[end]] - seconds[track.frames[inner]])
    velocity = (0.0, 0.0)
    if elapsed:
        (x, y), (u, v) = track.box(inner).center, box.center
        velocity = (u - x) / elapsed, (v - y) / elapsed
    frame = int(track.frames[end])
    return _End(frame, box, velocity, looks.at(track.track_id, frame))


def _merged(chain: Sequence[Tracklet]) -> LinkedTrack:
    """Return several pieces as one; where two say where the face is, both are covered."""
    head = chain[0].core.track_id
    cores, frays = TracksBuilder(), TracksBuilder()
    for piece in chain:
        _add(cores, head, piece.core, range(piece.core.first, piece.core.last + 1))
    for earlier, later in pairwise(chain):
        gap = range(earlier.core.last + 1, later.core.first)
        for piece in (earlier, later):
            if piece.fray is not None:
                _add(frays, head, piece.fray, gap)
    (track,) = cores.tracks()
    return LinkedTrack(track, next(iter(frays.tracks()), None))


def _add(builder: TracksBuilder, track_id: int, track: Track, frames: range) -> None:
    for row, frame in enumerate(track.frames.tolist()):
        if frame in frames:
            origin = ORIGINS[track.origins[row]]
            face = Face(track_id, track.box(row), float(track.scores[row]), origin)
            builder.add(frame, face)
