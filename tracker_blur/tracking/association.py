"""Matches detections to tracks: centroid distance in face sizes, gated, Hungarian method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box

FAR = 1e6
"""The cost of a pair that is not allowed."""


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
    return math.hypot(u - x, v - y) / ((small + large) / 2)


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
    if not tracks or not detections:
        return []
    costs = np.full((len(tracks), len(detections)), FAR)
    for row, (track, gate) in enumerate(zip(tracks, gates, strict=True)):
        for column, box in enumerate(detections):
            apart = distance(track, box, max_size_ratio)
            if apart <= gate:
                costs[row, column] = apart
    return assign(costs)


def assign(costs: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return pairs (row, column) of least total cost, as many as are not FAR.

    Args:
        costs: Shape (rows, columns), below FAR where a pair is allowed.
    """
    if not costs.size:
        return []
    reach = costs < FAR
    if reach.sum(axis=0).max() <= 1 and reach.sum(axis=1).max() <= 1:
        rows, columns = np.nonzero(reach)  # nothing to choose
    else:
        # Imported when first needed: it costs a quarter of a second and 45 MB.
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(costs)
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if costs[row, column] < FAR
    ]


def assign_sparse(candidates: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """Return pairs of least total cost out of (row, column, cost), each below FAR.

    Connected components are solved separately: the work grows with the largest, not with all.
    """
    if not candidates:
        return []
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
