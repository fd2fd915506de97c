"""Areas and crossing sides of polygons, and of those on the way from one to another."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from tracker_blur.core.polygons import Points, area, crosses_itself, keeps_its_form
from tracker_blur.core.zones import Zone

SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0))
SIZE = (1000, 1000)


def turned(points: Points, degrees: float, center: tuple[float, float] = (20, 20)) -> Points:
    turn = math.radians(degrees)
    return tuple(
        (
            center[0] + (x - 20) * math.cos(turn) - (y - 20) * math.sin(turn),
            center[1] + (x - 20) * math.sin(turn) + (y - 20) * math.cos(turn),
        )
        for x, y in points
    )


def test_areas_and_crossing_sides() -> None:
    assert area(SQUARE) == 1600
    assert area(SQUARE[::-1]) == 1600
    assert area(((0, 0), (1, 1), (2, 2))) == 0
    assert not crosses_itself(SQUARE)
    assert crosses_itself((SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]))
    assert not crosses_itself(((0, 0), (9, 0), (0, 9)))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (SQUARE, True),
        (turned(SQUARE, 0, (300, 500)), True),
        (turned(SQUARE, 90), True),
        (turned(SQUARE, 119), True),
        (turned(SQUARE, 121), False),
        (turned(SQUARE, 180), False),
        (SQUARE[::-1], False),
        (((0, 0), (400, 0), (400, 400), (0, 400)), True),
    ],
)
def test_a_polygon_keeps_its_form_if_its_corners_stay_in_order(
    after: Points, expected: bool
) -> None:
    assert keeps_its_form(SQUARE, after) == expected
    assert keeps_its_form(after, SQUARE) == expected


def test_sides_that_cross_on_the_way_are_found() -> None:
    # An arrow's notch goes through to the other side and back, and the area stays large.
    before = ((0.0, 0.0), (100.0, 0.0), (100.0, 50.0), (90.0, 50.0), (100.0, 51.0), (0.0, 100.0))
    after = ((0.0, 0.0), (100.0, 0.0), (80.0, 50.0), (100.0, 60.0), (80.0, 51.0), (0.0, 100.0))
    polygons = [
        tuple(
            (x + share * (u - x), y + share * (v - y))
            for (x, y), (u, v) in zip(before, after, strict=True)
        )
        for share in np.linspace(0, 1, 201)
    ]
    crossing = [crosses_itself(polygon) for polygon in polygons]
    assert (crossing[0], crossing[-1], any(crossing)) == (False, False, True)
    assert min(area(polygon) for polygon in polygons) > 0.5 * area(before)
    assert not keeps_its_form(before, after)


def test_an_accepted_zone_never_shrinks_to_nothing() -> None:
    random = np.random.default_rng(5)
    accepted = refused = 0
    for _ in range(400):
        corners = int(random.integers(3, 7))
        positions = []
        for _ in range(2):
            angles = np.sort(random.uniform(0, 2 * np.pi, corners))
            around = random.uniform(50, 200, (corners, 1)) * np.stack(
                [np.cos(angles), np.sin(angles)], axis=1
            )
            around += random.uniform(300, 700, 2)
            ordered = np.roll(around, random.integers(corners), axis=0)
            positions.append(ordered[:: random.choice([-1, 1])].round(3).tolist())
        areas = [area(tuple(map(tuple, points))) for points in positions]
        texts = [
            ",".join(f"{number:g}" for point in each for number in point) for each in positions
        ]
        try:
            zone = Zone.parse("hide", f"0s={texts[0]}..10s={texts[1]}")
        except ValueError:
            refused += 1
            continue
        accepted += 1
        moving = zone.corners(np.linspace(0, 10, 501), SIZE)
        between = [area(tuple(map(tuple, points))) for points in moving.tolist()]
        assert min(between) > 0.2 * min(areas)
        assert max(abs(one - other) for one, other in pairwise(between)) < 0.1 * max(between)
    assert accepted > 50
    assert refused > 50
