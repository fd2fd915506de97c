"""Polygons: their areas, and whether their sides cross, also on the way from one to another."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Points: TypeAlias = tuple[tuple[float, float], ...]
"""Corners (x, y)."""

_STEPS = 32  # from one polygon to another, at which it is checked
_LEAST_AREA = 0.25  # on the way, of the smaller one's: a square may turn by 120 degrees


def area(points: Points) -> float:
    """Return the area of a polygon whose sides do not cross."""
    return abs(float(_signed_areas(np.array([points]))[0]))


def crosses_itself(points: Points) -> bool:
    """Return whether two sides of a polygon that are no neighbors meet."""
    return bool(_cross_themselves(np.array([points]))[0])


def keeps_its_form(before: Points, after: Points) -> bool:
    """Return whether a polygon neither collapses nor crosses itself while it becomes another.

    Its corners move in straight lines. If those of the other are in another order, it shrinks to
    nothing on its way, or turns inside out.

    Args:
        before: the polygon.
        after: the other one, of as many corners.
    """
    share = np.linspace(0, 1, _STEPS + 1)[:, None, None]
    polygons = (1 - share) * np.array(before) + share * np.array(after)
    areas = _signed_areas(polygons)
    least = _LEAST_AREA * min(abs(areas[0]), abs(areas[-1]))
    is_large = (areas * np.sign(areas[0])).min() >= least
    return bool(is_large and not _cross_themselves(polygons).any())


def _signed_areas(polygons: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the areas, shape (n,), of polygons of shape (n, corners, 2).

    They are negative where the corners are given the other way around.
    """
    doubled = _cross(polygons, np.roll(polygons, -1, axis=1)).sum(axis=1)
    return np.asarray(doubled / 2, np.float64)


def _cross_themselves(polygons: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which polygons of shape (n, corners, 2) have sides that meet and are no neighbors."""
    count = polygons.shape[1]
    one, other = np.triu_indices(count, 2)
    are_apart = other - one != count - 1
    one, other = one[are_apart], other[are_apart]
    ends = np.roll(polygons, -1, axis=1)
    a, b, c, d = polygons[:, one], ends[:, one], polygons[:, other], ends[:, other]
    meet = (_cross(b - a, c - a) * _cross(b - a, d - a) < 0) & (
        _cross(d - c, a - c) * _cross(d - c, b - c) < 0
    )
    return np.asarray(meet.any(axis=1), np.bool_)


def _cross(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the cross products of vectors (x, y)."""
    return np.asarray(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0], np.float64)
