"""From what a first pass saw to what is hidden; no pixels, no files.

Raw tracks are divided into pieces that rest on finds, pieces that are one face are joined, gaps
are filled, ends get a margin, and boxes are steadied without ever uncovering what was found.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import ORIGINS, Boxes, Origin, Track, Tracks
from tracker_blur.tracking.first_pass import RawTracks
from tracker_blur.tracking.linking import joined, supported_tracklets
from tracker_blur.tracking.scene_cuts import Scenes

_GROWTH_PER_SECOND = 0.5  # share of its size by which a box that is not known grows, a side
_GROWTH_LIMIT = 0.5
_STEADY_SECONDS = 0.06  # half the time over which boxes are steadied
_CALM_SECONDS = 0.2  # and over which those that nobody found take the median
_LONGEST_HALF_WINDOW = 15  # rows: at very high rates, and where times are odd
_ROUNDING_SECONDS = 1e-6  # times are exact, seconds are not: a margin of 5 frames is never 4


def refine(seen: RawTracks, confidence: float, margin_seconds: float) -> Tracks:
    """Return the tracks to hide, their rows without gaps.

    confidence      the score from which a find is sure
    margin_seconds  how long before its first and after its last sight a face is hidden, too
    """
    tracks = seen.tracks
    seconds = tracks.seconds
    scenes = Scenes(tracks.cuts, tracks.frame_count)
    pieces = [
        piece
        for track in tracks.tracks
        for piece in supported_tracklets(track, seconds, seen.looked, confidence)
    ]
    refined = []
    for face in joined(pieces, seen, scenes):
        filled = _filled(face.track, seconds)
        if face.fray is not None:
            filled = _covering(filled, face.fray)
        margined = _margined(filled, seconds, scenes, margin_seconds)
        refined.append(_steadied(_calmed(margined, seconds), seconds))
    return replace(tracks, tracks=tuple(refined))


def settled(
    track: Track, seconds: npt.NDArray[np.float64], scenes: Scenes, margin_seconds: float
) -> Track:
    """Return one track without gaps, with margins at its ends and calmer boxes."""
    margined = _margined(_filled(track, seconds), seconds, scenes, margin_seconds)
    return _steadied(margined, seconds)


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


def _covering(track: Track, fray: Track) -> Track:
    """Return the track, without gaps, with boxes that cover those of the fray as well."""
    boxes = track.boxes.copy()
    rows = fray.frames - track.first
    boxes[rows, :2] = np.minimum(boxes[rows, :2], fray.boxes[:, :2])
    boxes[rows, 2:] = np.maximum(boxes[rows, 2:], fray.boxes[:, 2:])
    return replace(track, boxes=boxes)


def _margined(
    track: Track, seconds: npt.NDArray[np.float64], scenes: Scenes, margin_seconds: float
) -> Track:
    """Return the track with a margin at both ends, growing, but not into another scene."""
    scene_start, scene_end = scenes.of(track.first)[0], scenes.of(track.last)[1]
    reach = margin_seconds + _ROUNDING_SECONDS
    start = max(scene_start, int(np.searchsorted(seconds, seconds[track.first] - reach)))
    end = min(scene_end, int(np.searchsorted(seconds, seconds[track.last] + reach, "right")))
    early, late = max(0, track.first - start), max(0, end - track.last - 1)
    rows = np.pad(np.arange(len(track)), (early, late), "edge")
    frames = np.concatenate(
        [
            np.arange(track.first - early, track.first),
            track.frames,
            np.arange(track.last + 1, track.last + 1 + late),
        ]
    ).astype(np.int32)
    unknown = np.abs(seconds[frames] - seconds[track.frames[rows]])
    origins = track.origins[rows].copy()
    origins[:early] = origins[len(origins) - late :] = ORIGINS.index(Origin.MARGIN)
    boxes = _grown(track.boxes[rows].astype(np.float64), unknown)
    return replace(track, frames=frames, boxes=boxes, scores=track.scores[rows], origins=origins)


def _grown(boxes: npt.NDArray[np.float64], unknown: npt.NDArray[np.float64]) -> Boxes:
    """Return boxes grown, on each side, by the seconds for which they were not known."""
    share = np.minimum(_GROWTH_LIMIT, _GROWTH_PER_SECOND * unknown)[:, None]
    sides = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - sides, boxes[:, 2:] + sides], 1).astype(np.float32)


def _calmed(track: Track, seconds: npt.NDArray[np.float64]) -> Track:
    """Return the track with the median of their neighborhood for boxes that nobody found.

    Trackers jump; were each of their boxes covered to its edges, much more than a face would be.
    """
    half = _half_window(seconds[track.frames], _CALM_SECONDS)
    medians = np.median(_windows(track.boxes.astype(np.float64), half), -1)
    found = track.has(Origin.DETECTED)[:, None]
    return replace(track, boxes=np.where(found, track.boxes, medians).astype(np.float32))


def _half_window(times: npt.NDArray[np.float64], half_seconds: float) -> int:
    """Return how many rows on each side half a window of time spans."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    half = round(half_seconds / step) if step > 0 else 0
    return min(len(times) - 1, half, _LONGEST_HALF_WINDOW)


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
