"""Divides a raw track into pieces that rest on finds; no pixels, no files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin, Track
from tracker_blur.tracking.online import WEAK_SECONDS
from tracker_blur.tracking.weak_finds import AGREEING_LOOKS, AGREEING_SHARE

_UNFOUNDED_SECONDS = 0.08  # what a tracker alone says, at an end, is believed so near to a find
_GAP_SECONDS = 0.3  # a find that is farther from the next one, with looks in vain between them,
_VAIN_LOOKS = 2  # at least so many, ends a piece
_ROUNDING_SECONDS = 1e-6  # times are exact, seconds are not


@dataclass(frozen=True)
class Piece:
    """A part of a raw track.

    core   what is believed; its first and last find are at most a moment from its ends
    fray   what a tracker carried on from there, in both directions, believed by nobody alone
    """

    core: Track
    fray: Track | None


def founded_pieces(
    track: Track,
    seconds: npt.NDArray[np.float64],
    looked: npt.NDArray[np.int32],
    confidence: float,
) -> list[Piece]:
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
            pieces.append(Piece(core, track.rows(around & followed & ~inside)))
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
