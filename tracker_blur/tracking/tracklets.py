"""Splits raw tracks into tracklets: the parts that detections support; no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin, Track
from tracker_blur.tracking.plausibility import (
    are_unusual,
    cut_off,
    face_sizes,
    needed_scores,
    unconditional_score,
)

if TYPE_CHECKING:
    from tracker_blur.core.parameters import (
        LinkingParameters,
        PlausibilityParameters,
        TrackingParameters,
    )
    from tracker_blur.tracking.first_pass import RawTracks

ROUNDING_SECONDS = 1e-6
"""Times are exact, seconds are not: a limit of 5 frames must never become 4."""

_SAME_PX = 0.1  # views may change their size, and boxes are rounded


@dataclass(frozen=True)
class Tracklet:
    """A part of a raw track.

    Attributes:
        core: What detections support. Its first and last detection are close to its ends.
        unsupported: What only a tracker reports, beyond both ends; None if nothing.
    """

    core: Track
    unsupported: Track | None


def supported_tracklets(
    track: Track,
    raw: RawTracks,
    confidence: float,
    parameters: TrackingParameters,
    *,
    is_trusted: bool,
) -> list[Tracklet]:
    """Return the parts of a raw track that detections support.

    A detection counts when it is reliable or a reliable one is near in time; all do in a trusted
    track. A tracker's box counts close to such a detection, or
    between two of them, unless the detector missed it for long.

    Args:
        track: One of the raw tracks.
        raw: The result of the first pass.
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
        is_trusted: Whether the classifier takes the track for a face.
    """
    limits, detection_frames = parameters.linking, raw.detection_frames
    times = raw.tracks.seconds[track.frames]
    if is_trusted:
        reliable = detections = track.has(Origin.DETECTED)
    else:
        reliable = _is_reliable(track, raw.tracks.size, confidence, parameters)
        unreliable = _is_seldom_reliable(track, reliable, raw.tracks.size, confidence, parameters)
        detections = track.has(Origin.DETECTED) & ~unreliable
        reliable &= detections
    if not reliable.any():
        return []
    detected = detections & (
        _time_to(times, times[reliable])
        <= parameters.online.low_confidence_seconds + ROUNDING_SECONDS
    )
    tracked = track.has(Origin.TRACKED)
    near = tracked & (
        _time_to(times, times[detected]) <= limits.max_unsupported_seconds + ROUNDING_SECONDS
    )
    unchanged = _unchanged(track, detected, times, limits) if is_trusted else detected
    rows = np.flatnonzero(detected | unchanged)
    frames = track.frames[rows]
    missed = np.searchsorted(detection_frames, frames[1:]) - np.searchsorted(
        detection_frames, frames[:-1], "right"
    )
    ends = (np.diff(times[rows]) > limits.split_gap_seconds + ROUNDING_SECONDS) & (
        missed >= limits.min_missed_detections
    )
    firsts = rows[np.flatnonzero(np.concatenate([[True], ends]))]
    lasts = rows[np.flatnonzero(np.concatenate([ends, [True]]))]
    tracklets = []
    every = np.arange(len(track))
    for index, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        before = lasts[index - 1] if index else -1
        after = firsts[index + 1] if index + 1 < len(firsts) else len(track)
        around = (every > before) & (every < after)
        inside = (every >= first) & (every <= last)
        core = track.rows(around & (detected | unchanged | near | (tracked & inside)))
        if core is not None:
            tracklets.append(Tracklet(core, track.rows(around & tracked & ~inside)))
    return tracklets


def _unchanged(
    track: Track,
    detected: npt.NDArray[np.bool_],
    times: npt.NDArray[np.float64],
    parameters: LinkingParameters,
) -> npt.NDArray[np.bool_]:
    """Return which rows only repeat a detection's box, as `UnchangedFaces` keeps it."""
    unchanged = np.zeros(len(track), bool)
    tracked = track.has(Origin.TRACKED)
    last = -1  # of the rows that are detected or unchanged
    for row in range(len(track)):
        if detected[row]:
            last = row
        elif tracked[row] and last >= 0:
            is_near = times[row] - times[last] <= parameters.split_gap_seconds + ROUNDING_SECONDS
            if is_near and np.abs(track.boxes[row] - track.boxes[last]).max() < _SAME_PX:
                unchanged[row], last = True, row
    return unchanged


def _is_reliable(
    track: Track, frame_size: tuple[int, int], confidence: float, parameters: TrackingParameters
) -> npt.NDArray[np.bool_]:
    """Return which rows are reliable detections.

    These are high-confidence detections, and lower ones of which several agree in a row, unless
    they fill the frame: nothing agrees as well as the background of a camera that stands still.
    """
    limits, plausibility = parameters.online, parameters.plausibility
    detected = track.has(Origin.DETECTED)
    unusual = are_unusual(track.boxes, frame_size, plausibility)
    agreeing = detected & ~unusual & (track.scores >= limits.agreeing_share * confidence)
    row = np.arange(len(track))
    last_not = np.maximum.accumulate(np.where(agreeing, -1, row))
    next_not = np.minimum.accumulate(np.where(agreeing, len(track), row)[::-1])[::-1]
    in_row = next_not - last_not - 1
    high = detected & (
        track.scores >= needed_scores(track.boxes, frame_size, confidence, plausibility)
    )
    return np.asarray(high | (agreeing & (in_row >= limits.agreeing_detections)), np.bool_)


def _is_seldom_reliable(
    track: Track,
    reliable: npt.NDArray[np.bool_],
    frame_size: tuple[int, int],
    confidence: float,
    parameters: TrackingParameters,
) -> npt.NDArray[np.bool_]:
    """Return which rows are detections of a large face that is too seldom reliable to be one."""
    limits = parameters.plausibility
    unreliable = np.zeros(len(track), bool)
    rows = np.flatnonzero(track.has(Origin.DETECTED))
    boxes = track.boxes[rows]
    if not len(rows) or np.median(face_sizes(boxes)) <= limits.large_share * min(frame_size):
        return unreliable
    unreliable[rows] = (
        (track.scores[rows] < unconditional_score(confidence, limits))
        & ~cut_off(boxes, frame_size)
        & ~is_supported(reliable[rows], limits)
    )
    return unreliable


def is_supported(
    reliable: npt.NDArray[np.bool_], parameters: PlausibilityParameters
) -> npt.NDArray[np.bool_]:
    """Return which detections of a large face are among enough reliable ones.

    Args:
        reliable: Which of the track's detections are reliable, in order, shape (n,).
        parameters: Tuning parameters.
    """
    length = min(len(reliable), parameters.large_window_detections)
    if not length:
        return reliable
    windows = np.lib.stride_tricks.sliding_window_view(reliable, length)
    good = np.flatnonzero(windows.mean(1) >= parameters.large_reliable_share)
    supported = np.zeros(len(reliable), bool)
    supported[(good[:, None] + np.arange(length)).ravel()] = True
    return supported


def _time_to(
    times: npt.NDArray[np.float64], marks: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the time from each time to the nearest mark; marks ascend, at least one."""
    after = np.searchsorted(marks, times)
    to_next = np.abs(marks[np.minimum(after, len(marks) - 1)] - times)
    to_last = np.abs(times - marks[np.maximum(after - 1, 0)])
    return np.asarray(np.minimum(to_next, to_last), np.float64)
