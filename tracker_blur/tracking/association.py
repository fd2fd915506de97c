"""Matches detections to tracks: centroid distance in face sizes, gated, Hungarian method."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box_arrays import areas, edges, touching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.box_arrays import Edges

FAR = 1e6
"""The cost of a pair that is not allowed."""

_ROUNDING_PX = 1e-6
_MOST_TRIED = 24  # assignments, as of four faces: SciPy is not needed where few are near each other


def distance(track: Box, detection: Box, max_size_ratio: float = math.inf) -> float:
    """Return the distance of the two centers in units of the mean face size.

    It is infinite when either box is empty, or one is over `max_size_ratio` times as large (by
    side) as the other.
    """
    if track.is_empty or detection.is_empty:
        return math.inf
    small, large = sorted((track.size, detection.size))
    if large > max_size_ratio * small:
        return math.inf
    (x, y), (u, v) = track.center, detection.center
    return math.sqrt((u - x) * (u - x) + (v - y) * (v - y)) / ((small + large) / 2)


def match(
    tracks: Sequence[Box],
    detections: Sequence[Box],
    gates: Sequence[float],
    max_size_ratio: float = math.inf,
) -> list[tuple[int, int]]:
    """Return pairs (index of track, index of detection) of least total distance.

    As many pairs as the gates allow are made (Kuhn 1955; solved by SciPy's modified
    Jonker-Volgenant algorithm).

    Args:
        tracks: Boxes predicted for the time of the detections.
        detections: Detected boxes.
        gates: For each track the distance, in face sizes, up to which it may be matched.
        max_size_ratio: As for `distance`.
    """
    ones, others = _finite(edges(tracks)), _finite(edges(detections))
    one_sizes, other_sizes = np.sqrt(areas(ones)), np.sqrt(areas(others))
    limits = np.array(gates, np.float64)
    # A pair within the gate lies within squares that touch: only such pairs are compared.
    widest = float(limits.max(initial=0.0))
    rows, columns = touching(
        _squares(ones, limits * one_sizes), _squares(others, widest * other_sizes)
    )
    are_boxes = (one_sizes[rows] > 0) & (other_sizes[columns] > 0)
    rows, columns = rows[are_boxes], columns[are_boxes]
    small = np.minimum(one_sizes[rows], other_sizes[columns])
    large = np.maximum(one_sizes[rows], other_sizes[columns])
    way = _centers(others)[columns] - _centers(ones)[rows]
    apart = np.sqrt(way[:, 0] * way[:, 0] + way[:, 1] * way[:, 1]) / ((small + large) / 2)
    near = (large <= max_size_ratio * small) & (apart <= limits[rows])
    pairs = zip(rows[near].tolist(), columns[near].tolist(), apart[near].tolist(), strict=True)
    return assign_sparse(list(pairs))


def _finite(boxes: Edges) -> Edges:
    """Return boxes with those that are not finite emptied: they are never matched."""
    boxes[~np.isfinite(boxes).all(1)] = 0.0
    return boxes


def _centers(boxes: Edges) -> npt.NDArray[np.float64]:
    """Return the centers, (x, y), of boxes."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _squares(boxes: Edges, sides: npt.NDArray[np.float64]) -> Edges:
    """Return squares with these sides around the centers of boxes."""
    centers, reach = _centers(boxes), sides[:, None] / 2 + _ROUNDING_PX
    return np.hstack([centers - reach, centers + reach])


def assign(costs: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return pairs (row, column) of least total cost, as many as are not FAR.

    Args:
        costs: Shape (rows, columns), below FAR where a pair is allowed.
    """
    if not costs.size:
        return []
    reach = costs < FAR
    few, many = sorted(costs.shape)
    if reach.sum(axis=0).max() <= 1 and reach.sum(axis=1).max() <= 1:
        rows, columns = np.nonzero(reach)  # nothing to choose
    elif math.perm(many, few) <= _MOST_TRIED:
        rows, columns = _best_of_all(costs)
    else:
        # Imported when first needed: it costs a quarter of a second and 45 MB.
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(costs)
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if costs[row, column] < FAR
    ]


def _best_of_all(
    costs: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the rows and columns of least total cost, after trying every assignment."""
    if len(costs) > len(costs[0]):
        columns, rows = _best_of_all(costs.T)
        return rows, columns
    rows = np.arange(len(costs))
    tried = np.array(list(permutations(range(len(costs[0])), len(costs))))
    return rows, tried[costs[rows, tried].sum(1).argmin()]


def assign_sparse(candidates: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """Return pairs of least total cost out of (row, column, cost), each below FAR.

    Connected components are solved separately: the work grows with the largest, not with all. The
    pairs are in order.
    """
    row_counts = Counter(row for row, _, _ in candidates)
    column_counts = Counter(column for _, column, _ in candidates)
    pairs: list[tuple[int, int]] = []
    rivals: list[tuple[int, int, float]] = []
    for candidate in candidates:
        row, column, _ = candidate
        if row_counts[row] == column_counts[column] == 1:  # nothing to choose
            pairs.append((row, column))
        else:
            rivals.append(candidate)
    return sorted(pairs + _assign_rivals(rivals))


def _assign_rivals(candidates: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """Return what `assign_sparse` does, where there is something to choose."""
    rows = {row: index for index, row in enumerate(sorted({row for row, _, _ in candidates}))}
    columns = {
        column: index
        for index, column in enumerate(sorted({column for _, column, _ in candidates}))
    }
    group_of = _components([(rows[row], columns[col]) for row, col, _ in candidates], len(rows))
    groups: dict[int, list[tuple[int, int, float]]] = {}
    for candidate in candidates:
        groups.setdefault(group_of[rows[candidate[0]]], []).append(candidate)
    pairs: list[tuple[int, int]] = []
    for group in groups.values():
        pairs += _assign_group(group)
    return pairs


def _components(edges: Sequence[tuple[int, int]], row_count: int) -> list[int]:
    """Return a number for each row, the same for rows that edges (row, column) connect."""
    parents = list(range(row_count))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    owners: dict[int, int] = {}  # a row of each column
    for row, column in edges:
        parents[root(row)] = root(owners.setdefault(column, row))
    return [root(row) for row in range(row_count)]


def _assign_group(group: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    rows = sorted({row for row, _, _ in group})
    columns = sorted({column for _, column, _ in group})
    row_of = {row: index for index, row in enumerate(rows)}
    column_of = {column: index for index, column in enumerate(columns)}
    costs = np.full((len(rows), len(columns)), FAR)
    for row, column, cost in group:
        costs[row_of[row], column_of[column]] = cost
    return [(rows[row], columns[column]) for row, column in assign(costs)]
