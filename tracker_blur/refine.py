"""From what a first pass saw to what is hidden; no pixels, no files.

Tracks that are one face are joined, what is not founded is cut off their ends, gaps are filled,
ends get a margin, and boxes are steadied without ever uncovering what was found.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tracker_blur.boxes import Box
from tracker_blur.follow import AGREEING_LOOKS, AGREEING_SHARE
from tracker_blur.looks import Looks, common
from tracker_blur.match import FAR, assign_sparse, distance
from tracker_blur.survey import Sightings
from tracker_blur.tracks import ORIGINS, Boxes, Face, Origin, Track, Tracks, TracksBuilder

_WEAK_SECONDS = 0.7  # a weak find is believed so near to a sure one
_UNFOUNDED_SECONDS = 0.08  # what a tracker alone says is believed so near to a find
_GAP_SECONDS = 0.3  # what is unknown for longer divides a track, to be joined if it is one face
_GROWTH_PER_SECOND = 0.5  # share of its size by which a box that is not known grows, a side
_GROWTH_LIMIT = 0.5
_ROUNDING_SECONDS = 1e-6  # times are exact, seconds are not: a margin of 5 frames is never 4
_STEADY_SECONDS = 0.06  # half the time over which boxes are steadied
_CALM_SECONDS = 0.2  # and over which those that are not sure take the median

_JOIN_SECONDS = 2.0  # the longest gap in which a face may have moved
_JOIN_STILL_SECONDS = 3.0  # and in which a face stayed where it was
_JOIN_SIZES = 0.8  # how far, in face sizes, it may be from where its course leads
_JOIN_SIZES_PER_SECOND = 0.5
_STILL_SIZES = 0.5
_JOIN_SIZE_RATIO = 1.6
_JOIN_LOOK = 0.7  # share of the colors that two sights of one face have in common, at least
_COURSE_SECONDS = 0.4  # how long before its end a track's velocity is measured, and holds


def refine(seen: Sightings, confidence: float, margin_seconds: float) -> Tracks:
    """Return the tracks to hide, their rows without gaps.

    confidence      the score from which a find is sure
    margin_seconds  how long before its first and after its last sight a face is hidden, too
    """
    tracks = seen.tracks
    seconds = tracks.seconds
    scenes = _Scenes(tracks.cuts, tracks.frame_count)
    pieces = [
        piece for track in tracks.tracks for piece in _founded_pieces(track, seconds, confidence)
    ]
    refined = []
    for track in _joined(pieces, seen, scenes):
        filled = _filled(track, seconds)
        margined = _margined(filled, seconds, scenes, margin_seconds)
        refined.append(_steadied(_calmed(margined, seconds, confidence), seconds))
    return replace(tracks, tracks=tuple(refined))


def _founded_pieces(
    track: Track, seconds: npt.NDArray[np.float64], confidence: float
) -> list[Track]:
    """Return what of a track rests on finds: weak ones near sure ones, and what lies between.

    A find is believed when it is sure or a sure one is near in time. What a tracker carried is
    believed near such finds, and throughout a short gap between two of them.
    """
    times = seconds[track.frames]
    found = track.has(Origin.DETECTED)
    sure = _sure(track, confidence)
    if not sure.any():
        return []
    believed = found & (_time_to(times, times[sure]) <= _WEAK_SECONDS)
    near = _time_to(times, times[believed]) <= _UNFOUNDED_SECONDS
    kept = believed | (near & track.has(Origin.FOLLOWED))
    known = times[kept]
    starts = np.flatnonzero(np.diff(known, prepend=-np.inf) > _GAP_SECONDS)
    rows = np.flatnonzero(kept)
    pieces = []
    for part in np.split(rows, starts[1:]):
        which = np.zeros(len(track), bool)
        which[part] = True
        piece = track.rows(which)
        if piece is not None and piece.has(Origin.DETECTED).any():
            pieces.append(piece)
    return pieces


def _sure(track: Track, confidence: float) -> npt.NDArray[np.bool_]:
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


class _Scenes:
    """Which frames belong together."""

    def __init__(self, cuts: Sequence[int], frame_count: int) -> None:
        self._starts = [0, *cuts]
        self._frame_count = frame_count

    def of(self, frame: int) -> tuple[int, int]:
        """Return the first frame of the scene that a frame is in, and the one after its last."""
        index = bisect_right(self._starts, frame)
        end = self._starts[index] if index < len(self._starts) else self._frame_count
        return self._starts[index - 1], end


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


def _joined(pieces: Sequence[Track], seen: Sightings, scenes: _Scenes) -> list[Track]:
    """Return the pieces, those that are one face as one track."""
    follows = _successors(pieces, seen, scenes)
    heads = [index for index in range(len(pieces)) if index not in follows.values()]
    joined = []
    for head in heads:
        chain = [head]
        while chain[-1] in follows:
            chain.append(follows[chain[-1]])
        joined.append(_merged([pieces[index] for index in chain]))
    joined.sort(key=lambda track: (track.first, track.track_id))
    return [replace(track, track_id=index) for index, track in enumerate(joined)]


def _successors(pieces: Sequence[Track], seen: Sightings, scenes: _Scenes) -> dict[int, int]:
    """Return which piece continues which, by index; each is in at most one pair as either.

    What following found comes first, then the assignment of least total cost.
    """
    seconds = seen.tracks.seconds
    ends = [_ends(piece, seconds, seen.looks) for piece in pieces]
    pairs: dict[int, int] = {}
    lasts = {piece.track_id: index for index, piece in enumerate(pieces)}
    firsts = {piece.track_id: len(pieces) - 1 - i for i, piece in enumerate(reversed(pieces))}
    for earlier_id, later_id in seen.links:
        earlier, later = lasts.get(earlier_id), firsts.get(later_id)
        if earlier is None or later is None or earlier in pairs or later in pairs.values():
            continue
        if ends[earlier][1].frame < ends[later][0].frame:
            pairs[earlier] = later
    later_ones = sorted(
        set(range(len(pieces))) - set(pairs.values()), key=lambda i: ends[i][0].frame
    )
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
            cost = _cost(end, start, float(seconds[start.frame] - seconds[end.frame]))
            if cost < FAR:
                candidates.append((earlier, later, cost))
    return pairs | dict(assign_sparse(candidates))


def _cost(end: _End, start: _End, gap: float) -> float:
    """Return how unlike the end of a track and the start of another are; FAR if too unlike."""
    apart = distance(end.box, start.box)
    small, large = sorted((end.box.size, start.box.size))
    shared = common(end.look, start.look)
    if large > _JOIN_SIZE_RATIO * small or shared < _JOIN_LOOK:
        return FAR
    if apart <= _STILL_SIZES:
        return apart + 1 - shared
    if gap > _JOIN_SECONDS:
        return FAR
    apart = distance(end.at(gap), start.at(-gap) if gap > _COURSE_SECONDS else start.box)
    if apart > _JOIN_SIZES + _JOIN_SIZES_PER_SECOND * gap:
        return FAR
    return apart + 1 - shared


def _ends(track: Track, seconds: npt.NDArray[np.float64], looks: Looks) -> tuple[_End, _End]:
    found = np.flatnonzero(track.has(Origin.DETECTED))
    return _end(track, found, seconds, looks), _end(track, found[::-1], seconds, looks)


def _end(
    track: Track,
    rows: npt.NDArray[np.intp],
    seconds: npt.NDArray[np.float64],
    looks: Looks,
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


def _merged(chain: Sequence[Track]) -> Track:
    """Return several tracks as one; where two say where the face is, both are covered."""
    builder = TracksBuilder()
    head = chain[0].track_id
    for index, track in enumerate(chain):
        end = _first_found(chain[index + 1]) if index + 1 < len(chain) else None
        for row in range(len(track)):
            origin = ORIGINS[track.origins[row]]
            frame = int(track.frames[row])
            if end is None or frame < end or origin is Origin.DETECTED:
                box, score = track.box(row), float(track.scores[row])
                builder.add(frame, Face(head, box, score, origin))
    (merged,) = builder.tracks()
    return merged


def _first_found(track: Track) -> int:
    return int(track.frames[track.has(Origin.DETECTED)][0])


def _filled(track: Track, seconds: npt.NDArray[np.float64]) -> Track:
    """Return the track with a box in every frame from its first to its last."""
    frames = np.arange(track.first, track.last + 1, dtype=np.int32)
    if len(frames) == len(track):
        return track
    times, known = seconds[frames], seconds[track.frames]
    boxes = np.stack([np.interp(times, known, edge) for edge in track.boxes.T], 1)
    after = np.searchsorted(track.frames, frames)  # the first known row not before the frame
    before = np.searchsorted(track.frames, frames, "right") - 1
    missing = before != after
    unknown = np.minimum(times - known[before], known[after] - times)
    scores, origins = track.scores[before].copy(), track.origins[before].copy()
    origins[missing] = ORIGINS.index(Origin.BETWEEN)
    grown = _grown(boxes, np.where(missing, unknown, 0.0))
    return replace(track, frames=frames, boxes=grown, scores=scores, origins=origins)


def _margined(
    track: Track, seconds: npt.NDArray[np.float64], scenes: _Scenes, margin_seconds: float
) -> Track:
    """Return the track with a margin at both ends, growing, but not into another scene."""
    scene_start, scene_end = scenes.of(track.first)[0], scenes.of(track.last)[1]
    reach = margin_seconds + _ROUNDING_SECONDS
    early = np.arange(scene_start, track.first)
    early = early[seconds[early] >= seconds[track.first] - reach]
    late = np.arange(track.last + 1, scene_end)
    late = late[seconds[late] <= seconds[track.last] + reach]
    rows = np.concatenate(
        [np.zeros(len(early), np.intp), np.arange(len(track)), np.full(len(late), len(track) - 1)]
    )
    frames = np.concatenate([early, track.frames, late]).astype(np.int32)
    unknown = np.abs(seconds[frames] - seconds[track.frames[rows]])
    origins = track.origins[rows].copy()
    origins[unknown > 0] = ORIGINS.index(Origin.MARGIN)
    boxes = _grown(track.boxes[rows].astype(np.float64), unknown)
    return replace(track, frames=frames, boxes=boxes, scores=track.scores[rows], origins=origins)


def _grown(boxes: npt.NDArray[np.float64], unknown: npt.NDArray[np.float64]) -> Boxes:
    """Return boxes grown, on each side, by the seconds for which they were not known."""
    share = np.minimum(_GROWTH_LIMIT, _GROWTH_PER_SECOND * unknown)[:, None]
    sides = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - sides, boxes[:, 2:] + sides], 1).astype(np.float32)


def _calmed(track: Track, seconds: npt.NDArray[np.float64], confidence: float) -> Track:
    """Return the track with the median of their neighborhood for boxes that nothing sure gave.

    Weak finds and trackers jump; were each covered to its edges, much more than a face would be.
    """
    half = _half_window(seconds[track.frames], _CALM_SECONDS)
    sure = _sure(track, confidence)
    medians = np.median(_windows(track.boxes.astype(np.float64), half), -1)
    boxes = np.where(sure[:, None], track.boxes, medians).astype(np.float32)
    return replace(track, boxes=boxes)


def _half_window(times: npt.NDArray[np.float64], half_seconds: float) -> int:
    """Return how many rows on each side half a window of time spans."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return min(len(times) - 1, round(half_seconds / step)) if step > 0 else 0


def _steadied(track: Track, seconds: npt.NDArray[np.float64]) -> Track:
    """Return the track with calmer boxes, each of which covers the one it was.

    The center's way is averaged; the edges, seen from there, take their farthest over a window,
    and then the average of that over a window of the same length: each term of the average is at
    least as far out as the edge itself.
    """
    half = _half_window(seconds[track.frames], _STEADY_SECONDS)
    boxes = track.boxes.astype(np.float64)
    centers = _averaged((boxes[:, :2] + boxes[:, 2:]) / 2, half)
    outward = np.concatenate([centers - boxes[:, :2], boxes[:, 2:] - centers], 1)
    reach = _averaged(_windows(outward, half).max(-1), half)
    steady = np.concatenate([centers - reach[:, :2], centers + reach[:, 2:]], 1)
    low = np.minimum(steady[:, :2], boxes[:, :2])  # no rounding may uncover either
    high = np.maximum(steady[:, 2:], boxes[:, 2:])
    return replace(track, boxes=np.concatenate([low, high], 1).astype(np.float32))


def _averaged(values: npt.NDArray[np.float64], half: int) -> npt.NDArray[np.float64]:
    return np.asarray(_windows(values, half).mean(-1), np.float64)


def _windows(values: npt.NDArray[np.float64], half: int) -> npt.NDArray[np.float64]:
    """Return, for each row, the rows around it: shape (n, columns, 2 * half + 1)."""
    padded = np.pad(values, ((half, half), (0, 0)), "edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, 0)
