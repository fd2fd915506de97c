"""Fills the gaps of tracks, adds margins and smooths boxes, and never uncovers a detection."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import ORIGINS, Boxes, Origin, Track, Tracks
from tracker_blur.tracking.plausibility import face_sizes
from tracker_blur.tracking.scene_cuts import Scenes
from tracker_blur.tracking.tracklets import ROUNDING_SECONDS

if TYPE_CHECKING:
    from tracker_blur.core.parameters import SmoothingParameters
    from tracker_blur.tracking.linking import LinkedTrack

_ROUNDING_FRAMES = 1e-6  # seconds are not exact


def smooth_face(
    face: LinkedTrack,
    tracks: Tracks,
    margin_seconds: float,
    parameters: SmoothingParameters,
    span: tuple[int, int] | None = None,
    *,
    believes_trackers: bool = False,
) -> Track | None:
    """Return one face without gaps, with margins at its ends and smoothed boxes.

    Args:
        face: One of the faces.
        tracks: Those that it was made of.
        margin_seconds: How long before its first and after its last detection a face is hidden, and
            for at least `SmoothingParameters.min_margin_frames`; 0: not at all.
        parameters: Tuning parameters.
        span: The first frame that is needed, and the one after the last; None: all are. None is
            returned if the face is in none of them.
        believes_trackers: Do not median-filter what only a tracker reports: too few later frames
            are known to tell that it has jumped.
    """
    seconds, scenes = tracks.seconds, Scenes(tracks.cuts, tracks.frame_count)
    filled = _filled(face.track, seconds, parameters)
    if face.unsupported is not None:
        filled = _covering(filled, face.unsupported, parameters)
    whole = _margined(filled, seconds, scenes, margin_seconds, tracks.size, parameters)
    times = seconds[whole.frames]
    median_half = 0
    if not believes_trackers:
        median_half = _half_window(times, parameters.median_half_window_seconds, parameters)
    half = _half_window(times, parameters.half_window_seconds, parameters)
    if span is None:
        return _smoothed(_median_filtered(whole, median_half), half)
    reach = median_half + 3 * half  # the windows are taken one after the other
    near = whole.rows((whole.frames >= span[0] - reach) & (whole.frames < span[1] + reach))
    if near is None:
        return None
    smooth = _smoothed(_median_filtered(near, median_half), half)
    return smooth.rows((smooth.frames >= span[0]) & (smooth.frames < span[1]))


def _filled(
    track: Track, seconds: npt.NDArray[np.float64], parameters: SmoothingParameters
) -> Track:
    """Return the track with a box in every frame from its first to its last."""
    frames = np.arange(track.first, track.last + 1, dtype=np.int32)
    if len(frames) == len(track):
        return track
    times, known = seconds[frames], seconds[track.frames]
    boxes = np.stack([np.interp(times, known, edge) for edge in track.boxes.T], 1)
    after = np.searchsorted(track.frames, frames)  # the first known row not before the frame
    before = np.searchsorted(track.frames, frames, "right") - 1
    missing = before != after
    # A jerk of the camera moves a face at once, and not steadily.
    last = track.boxes[before]
    travel = np.linalg.norm((track.boxes[after] - last).reshape(-1, 2, 2).mean(1), axis=1)
    is_jerk = missing & (travel > parameters.max_steady_travel_sizes * face_sizes(last))
    is_jerk &= known[after] - known[before] <= parameters.max_jerk_seconds
    boxes[is_jerk, :2] = np.minimum(boxes, last)[is_jerk, :2]
    boxes[is_jerk, 2:] = np.maximum(boxes, last)[is_jerk, 2:]
    unknown = np.minimum(times - known[before], known[after] - times)
    scores, origins = track.scores[before].copy(), track.origins[before].copy()
    origins[missing] = ORIGINS.index(Origin.BETWEEN)
    grown = _grown(boxes, np.where(missing, unknown, 0.0), parameters)
    return replace(track, frames=frames, boxes=grown, scores=scores, origins=origins)


def _covering(track: Track, unsupported: Track, parameters: SmoothingParameters) -> Track:
    """Return the track, without gaps, with boxes that cover the unsupported ones as well.

    A tracker that has jumped away is not followed: around its center, no box becomes larger than
    the detections before and after it allow.
    """
    boxes = track.boxes.copy()
    rows = unsupported.frames - track.first
    known = np.flatnonzero(track.has(Origin.DETECTED) | track.has(Origin.TRACKED))
    after = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    ends = known[np.maximum(after - 1, 0)], known[after]
    sides = boxes[:, 2:] - boxes[:, :2]
    allowed = parameters.max_gap_size_ratio * np.maximum(sides[ends[0]], sides[ends[1]]) / 2
    centers = (boxes[rows, :2] + boxes[rows, 2:]) / 2
    low = np.maximum(unsupported.boxes[:, :2], centers - allowed)
    high = np.minimum(unsupported.boxes[:, 2:], centers + allowed)
    boxes[rows, :2] = np.minimum(boxes[rows, :2], low)
    boxes[rows, 2:] = np.maximum(boxes[rows, 2:], high)
    return replace(track, boxes=boxes)


def _margined(
    track: Track,
    seconds: npt.NDArray[np.float64],
    scenes: Scenes,
    margin_seconds: float,
    frame_size: tuple[int, int],
    parameters: SmoothingParameters,
) -> Track:
    """Return the track with a growing margin at both ends, within its scene.

    A margin reaches as far as the border if the face came, or goes, that way.
    """
    if not margin_seconds:
        return track
    scene_start, scene_end = scenes.of(track.first)[0], scenes.of(track.last)[1]
    early = _margin(
        track, seconds, np.arange(track.first - 1, scene_start - 1, -1), margin_seconds,
        frame_size, parameters,
    )  # fmt: skip
    late = _margin(
        track, seconds, np.arange(track.last + 1, scene_end), margin_seconds,
        frame_size, parameters,
    )  # fmt: skip
    if not len(early) and not len(late):
        return track
    rows = np.clip(np.arange(-len(early), len(track) + len(late)), 0, len(track) - 1)
    origins = track.origins[rows].copy()
    origins[: len(early)] = origins[len(origins) - len(late) :] = ORIGINS.index(Origin.MARGIN)
    start, stop = track.first - len(early), track.last + 1 + len(late)
    return replace(
        track,
        frames=np.arange(start, stop, dtype=np.int32),
        boxes=np.concatenate([early[::-1], track.boxes, late]),
        scores=track.scores[rows],
        origins=origins,
    )


def _margin(
    track: Track,
    seconds: npt.NDArray[np.float64],
    frames: npt.NDArray[np.intp],
    margin_seconds: float,
    frame_size: tuple[int, int],
    parameters: SmoothingParameters,
) -> Boxes:
    """Return the boxes of the margin at one end of a track without gaps, the nearest one first.

    Args:
        track: The track.
        seconds: Time of each frame of the video.
        frames: The frames beyond that end, in its scene, the nearest one first.
        margin_seconds: How long the margin lasts.
        frame_size: (width, height) of the frame.
        parameters: Tuning parameters.
    """
    if not len(frames):
        return track.boxes[:0]
    inward = slice(None) if frames[0] < track.first else slice(None, None, -1)
    times, boxes = seconds[track.frames][inward], track.boxes[inward].astype(np.float64)
    away = np.abs(seconds[frames] - times[0])
    count = int(np.searchsorted(away, margin_seconds + ROUNDING_SECONDS, "right"))
    count = min(len(frames), max(parameters.min_margin_frames, count))
    velocity, leaving_seconds = _way_out(times, boxes, frame_size, parameters)
    reach = int(np.searchsorted(away, leaving_seconds, "right"))
    still = np.repeat(boxes[:1], max(count, reach), 0)
    away = away[: len(still)]
    moved = still + np.tile(velocity, 2) * np.minimum(away, leaving_seconds)[:, None]
    still[count:] = moved[count:]  # where only the way to the border is hidden
    low, high = np.minimum(still, moved)[:, :2], np.maximum(still, moved)[:, 2:]
    return _grown(np.concatenate([low, high], 1), away, parameters)


def _way_out(
    times: npt.NDArray[np.float64],
    boxes: npt.NDArray[np.float64],
    frame_size: tuple[int, int],
    parameters: SmoothingParameters,
) -> tuple[npt.NDArray[np.float64], float]:
    """Return a face's velocity away from its track, and the seconds until it is out of the frame.

    Both are zero unless the face is near a border and moves towards it fast enough.

    Args:
        times: Times of the track's rows, from its end inward, in seconds.
        boxes: Its boxes, in the same order.
        frame_size: (width, height) of the frame.
        parameters: Tuning parameters.
    """
    inner = int(np.flatnonzero(np.abs(times - times[0]) <= parameters.velocity_seconds)[-1])
    if not inner:
        return np.zeros(2), 0.0
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    velocity = (centers[0] - centers[inner]) / abs(times[0] - times[inner])
    low, high = boxes[0, :2], boxes[0, 2:]
    to_border = np.where(velocity < 0, low, frame_size - high)
    out_of_frame = np.where(velocity < 0, high, frame_size - low)
    near = to_border <= parameters.border_sizes * math.sqrt(float((high - low).prod()))
    leaves = near & (out_of_frame <= parameters.border_seconds * np.abs(velocity)) & (velocity != 0)
    if not leaves.any():
        return np.zeros(2), 0.0
    return velocity, max(0.0, float((out_of_frame[leaves] / np.abs(velocity[leaves])).min()))


def _grown(
    boxes: npt.NDArray[np.float64],
    unknown: npt.NDArray[np.float64],
    parameters: SmoothingParameters,
) -> Boxes:
    """Return boxes grown, on each side, by the seconds to the nearest known box."""
    growth = parameters.gap_growth_per_second * unknown
    share = np.minimum(parameters.max_gap_growth_share, growth)[:, None]
    sides = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - sides, boxes[:, 2:] + sides], 1).astype(np.float32)


def _median_filtered(track: Track, half: int) -> Track:
    """Return the track with median-filtered boxes where no detector gave one.

    Trackers jump. Covering each of their boxes would hide much more than the face.
    """
    detected = track.has(Origin.DETECTED)[:, None]
    if not half or detected.all():
        return track
    medians = np.median(_windows(track.boxes.astype(np.float64), half), -1)
    return replace(track, boxes=np.where(detected, track.boxes, medians).astype(np.float32))


def _smoothed(track: Track, half: int) -> Track:
    """Return the track with smoother boxes, each of which covers the one it was.

    The path of the center is averaged. Seen from there, each edge takes its maximum over a window,
    and then the average of these maxima over a window of the same length: each term of the average
    is at least as far out as the edge itself.
    """
    boxes = track.boxes.astype(np.float64)
    centers = _averaged((boxes[:, :2] + boxes[:, 2:]) / 2, half)
    outward = np.concatenate([centers - boxes[:, :2], boxes[:, 2:] - centers], 1)
    reach = _averaged(_windows(outward, half).max(-1), half)
    smooth = np.concatenate([centers - reach[:, :2], centers + reach[:, 2:]], 1)
    low = np.minimum(smooth[:, :2], boxes[:, :2])  # no rounding may uncover anything
    high = np.maximum(smooth[:, 2:], boxes[:, 2:])
    return replace(track, boxes=np.concatenate([low, high], 1).astype(np.float32))


def _half_window(
    times: npt.NDArray[np.float64], half_seconds: float, parameters: SmoothingParameters
) -> int:
    """Return how many rows on each side half a window spans."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    # At 25 a second, 0.06 seconds are one frame and a half: rounded up, wherever times begin.
    half = round(half_seconds / step + _ROUNDING_FRAMES) if step > 0 else 0
    return min(len(times) - 1, half, parameters.max_half_window_frames)


def _averaged(values: npt.NDArray[np.float64], half: int) -> npt.NDArray[np.float64]:
    return np.asarray(_windows(values, half).mean(-1), np.float64)


def _windows(values: npt.NDArray[np.float64], half: int) -> npt.NDArray[np.float64]:
    """Return, for each row, the rows around it: shape (n, columns, 2 * half + 1)."""
    rows = np.arange(len(values))[:, None] + np.arange(-half, half + 1)
    windows = values[np.clip(rows, 0, len(values) - 1)]
    return np.asarray(windows.transpose(0, 2, 1), np.float64)
