"""Separate tracks: which of the hidden tracks are hidden on their own.

A detector takes parts of a face, or a head and its face, for several. What of them lies in the
area of another hidden track nearly all the time is hidden all the same, and mostly no further
person. So it does not count where people read how many faces there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.tracks import Track

_PADDING = 0.3
"""How far the hidden area of a face reaches beyond its box, as a share of it: the default."""

_INSIDE = 0.75
"""A box is inside of an area if this share of it is."""

_NEARLY_ALL = 0.8
"""A track is inside of others if it is in this share of its frames."""


def separate_tracks(tracks: Sequence[Track]) -> list[Track]:
    """Return those of some hidden tracks that are hidden on their own, in their order.

    Left out is a track that lies, in four fifths of its frames, within the hidden areas of tracks
    of the same class whose boxes are larger on average.

    Args:
        tracks: what is hidden.
    """
    if len(tracks) < 2:
        return list(tracks)
    sizes = np.array(
        [np.prod(track.boxes[:, 2:] - track.boxes[:, :2], axis=1).mean() for track in tracks]
    )
    rank = np.empty(len(tracks), np.int64)
    rank[np.argsort(sizes, kind="stable")] = np.arange(len(tracks))
    _, labels = np.unique([track.label for track in tracks], return_inverse=True)
    frames = np.concatenate([track.frames for track in tracks])
    order = np.argsort(frames, kind="stable")
    frames = frames[order]
    owners = np.repeat(np.arange(len(tracks)), [len(track) for track in tracks])[order]
    boxes = np.concatenate([track.boxes for track in tracks]).astype(np.float64)[order]
    centers = (boxes[:, 0] + boxes[:, 2]) / 2
    reaches = (0.5 + _PADDING) * (boxes[:, 2] - boxes[:, 0])
    is_inside = np.zeros(len(frames), bool)
    for distance in range(1, len(frames)):
        (first,) = np.nonzero(frames[:-distance] == frames[distance:])
        if not len(first):  # no frame has that many boxes
            break
        second = first + distance
        is_smaller = rank[owners[first]] < rank[owners[second]]
        inner, outer = np.where(is_smaller, first, second), np.where(is_smaller, second, first)
        # Most boxes of a crowd are apart, which is known from their centers.
        is_near = np.abs(centers[inner] - centers[outer]) <= reaches[outer]
        inner, outer = inner[is_near], outer[is_near]
        is_in = _shares(boxes[inner], boxes[outer]) >= _INSIDE
        is_in &= labels[owners[inner]] == labels[owners[outer]]
        is_inside[inner[is_in]] = True
    lengths = np.bincount(owners, minlength=len(tracks))
    shares = np.bincount(owners, is_inside, minlength=len(tracks)) / lengths
    return [track for track, share in zip(tracks, shares, strict=True) if share < _NEARLY_ALL]


def _shares(
    inner: npt.NDArray[np.float64], outer: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how much of each box, shape (n, 4), lies in the hidden area around another."""
    margins = _PADDING * (outer[:, 2:] - outer[:, :2])
    low = np.maximum(inner[:, :2], outer[:, :2] - margins)
    high = np.minimum(inner[:, 2:], outer[:, 2:] + margins)
    areas = np.prod(inner[:, 2:] - inner[:, :2], axis=1)
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=1) / np.maximum(areas, 1e-9))
