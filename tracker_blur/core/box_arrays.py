"""Many boxes at once: the same arithmetic as that of `Box`, to the last bit, in arrays.

Only boxes that touch are compared, so the work grows with the neighbors that boxes have.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracker_blur.core.box import Box, Detection

Edges: TypeAlias = npt.NDArray[np.float64]
"""Boxes, shape (n, 4): left, top, right, bottom."""

Values: TypeAlias = npt.NDArray[np.float64]

Pairs: TypeAlias = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""Indices of the first and the second box of each pair, ascending."""

_ROUNDING_PX = 1e-6


def edges(boxes: Iterable[Box]) -> Edges:
    """Return the edges of boxes, shape (n, 4)."""
    return np.array([box.as_tuple() for box in boxes], np.float64).reshape(-1, 4)


def areas(boxes: Edges) -> Values:
    """Return the area of each box in square pixels, shape (n,)."""
    sides = np.maximum(0.0, boxes[:, 2:] - boxes[:, :2])
    return np.asarray(sides[:, 0] * sides[:, 1], np.float64)


def intersection_areas(one: Edges, other: Edges) -> Values:
    """Return the area that the boxes of each pair share, shape (n,)."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    sides = np.maximum(0.0, high - low)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float64)


def ious(one: Edges, other: Edges) -> Values:
    """Return the intersection over union of each pair, 0 to 1, shape (n,)."""
    shared = intersection_areas(one, other)
    unions = areas(one) + areas(other) - shared
    return np.divide(shared, unions, out=np.zeros_like(shared), where=unions > 0)


def touching(one: Edges, other: Edges) -> Pairs:
    """Return the pairs whose boxes, all finite, overlap or touch: one of `one`, one of `other`.

    The left edges are sorted: only what begins before a box ends, and no farther to the left than
    the widest box reaches, is compared.
    """
    if not len(one) or not len(other):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    order = np.argsort(other[:, 0], kind="stable")
    lefts = other[order, 0]
    widest = float(np.max(other[:, 2] - other[:, 0])) + _ROUNDING_PX
    begins = np.searchsorted(lefts, one[:, 0] - widest, "left")
    ends = np.searchsorted(lefts, one[:, 2], "right")
    counts = np.maximum(0, ends - begins)
    first = np.repeat(np.arange(len(one)), counts)
    within = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    second = order[np.repeat(begins, counts) + within]
    is_near = (one[first, :2] <= other[second, 2:]) & (other[second, :2] <= one[first, 2:])
    near = np.flatnonzero(is_near.all(1))
    near = near[np.lexsort((second[near], first[near]))]
    return first[near], second[near]


def overlapping(one: Edges, other: Edges, iou: float) -> Pairs:
    """Return the pairs that overlap by more than `iou`, 0 or more."""
    first, second = touching(one, other)
    more = ious(one[first], other[second]) > iou
    return first[more], second[more]


def are_among(boxes: Sequence[Box], others: Sequence[Box], iou: float) -> list[bool]:
    """Return for each box whether it overlaps with any of the others by more than `iou`."""
    found = np.zeros(len(boxes), bool)
    if len(boxes) and len(others):
        found[overlapping(edges(boxes), edges(others), iou)[0]] = True
    return found.tolist()


def are_occluded(boxes: Sequence[Box], others: Sequence[Box], share: float) -> list[bool]:
    """Return for each box whether any one of the others overlaps more than `share` of its area."""
    behind, front = edges(boxes), edges(others)
    rows, columns = touching(behind, front)
    shared = intersection_areas(front[columns], behind[rows])
    occluded = np.zeros(len(behind), bool)
    occluded[rows[shared > share * areas(behind)[rows]]] = True
    return occluded.tolist()


def suppress_overlaps(detections: Iterable[Detection], iou: float) -> list[Detection]:
    """Keep the best of detections of one class that overlap by more than `iou` (greedy NMS)."""
    best_first = sorted(detections, key=lambda detection: -detection.score)
    if iou >= 1:  # nothing overlaps more
        return best_first
    boxes = edges(detection.box for detection in best_first)
    rivals: defaultdict[int, list[int]] = defaultdict(list)
    worse_ones, better_ones = overlapping(boxes, boxes, iou)
    for worse, better in zip(worse_ones.tolist(), better_ones.tolist(), strict=True):
        if better < worse and best_first[better].label == best_first[worse].label:
            rivals[worse].append(better)
    is_kept = [True] * len(best_first)
    for worse, betters in rivals.items():  # ascending: the better ones are decided
        is_kept[worse] = not any(is_kept[better] for better in betters)
    return [one for one, kept in zip(best_first, is_kept, strict=True) if kept]
