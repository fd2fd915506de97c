"""Zones: parts of the frame in which everything is hidden, or what lies there stays visible.

A zone is a rectangle or a polygon. It may last for a time only, and it may move: between two of its
positions it is interpolated linearly in time. On the command line, in settings and in track files
it is written in the same way:

    10,20,200,80                        a rectangle: left, top, right, bottom
    10,20,200,20,100,80                 a polygon: x and y of three corners or more
    10%,20%,50%,40%                     the same in percent of the frame's width and height
    5s..9s=10,20,200,80                 from 5 to 9 seconds
    ..9s=10,20,200,80                   until then; 5s..=10,20,200,80 is from then on
    5s=10,20,200,80..9s=50,20,240,80    it moves from one place to the other
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.polygons import Points, area, crosses_itself, keeps_its_form
from tracker_blur.core.times import seconds_of, why_no_time

ZoneRule: TypeAlias = Literal["hide", "ignore"]

ZONE = "zone"
"""The label of the areas that are hidden because of a zone."""

MAX_ZONES = 200
"""How many zones one video may have."""

_INSIDE_SHARE = 0.75
"""A box lies in a zone if this share of its area does: its center does then, too."""

_MAX_CHARACTERS = 20_000
_MAX_CORNERS = 100
_FARTHEST = 100_000.0  # pixels or percent, as in track files
_SAMPLES = 16  # along each side of a box, to measure how much of it lies in a polygon
_ROWS = 4096  # boxes that are measured at once, for the sake of memory
_NUMBER = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,6})?")
_EXAMPLES = (
    "left,top,right,bottom or the corners x,y,x,y,x,y of a polygon, in pixels or percent, with "
    "times before a '=' if it is not for all of the video, such as 5s..9s=10%,20%,50%,40%"
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the frame, for some time.

    Attributes:
        rule: "hide": everything in it is hidden; "ignore": faces in it stay visible.
        text: how it is written.
        keys: where it is, by seconds since the first frame, ascending; never empty. All positions
            have as many corners (x, y); of a rectangle, only the upper left and the lower right.
        start: when it begins, in seconds since the first frame; None: with the first frame.
        end: when it ends; None: with the last frame.
        is_percent: whether corners are in percent of the frame's sides, not in pixels.
    """

    rule: ZoneRule
    text: str
    keys: tuple[tuple[Fraction, Points], ...]
    start: Fraction | None = None
    end: Fraction | None = None
    is_percent: bool = False

    @classmethod
    def parse(cls, rule: ZoneRule, text: str) -> Zone:
        """Return the zone that a text stands for.

        Raises:
            ValueError: It stands for none. The message says what is wrong, and what to give.
        """
        if len(text) > _MAX_CHARACTERS:
            raise ValueError(f"is longer than {_MAX_CHARACTERS} characters: give fewer positions")
        if "=" not in text:
            points, is_percent = _points(text)
            return cls(rule, text, ((Fraction(0), points),), is_percent=is_percent)
        moments, positions, units = _moments(text)
        if len(units) > 1:
            raise ValueError("has pixels and percent: give all positions in one of them")
        if len({len(points) for points in positions}) > 1:
            raise ValueError("has positions with different numbers of corners: give all the same")
        start, end = moments[0], moments[-1]
        timed = [
            (moment, points)
            for moment, points in zip(moments, positions, strict=True)
            if moment is not None
        ]
        for (one, _), (other, _) in itertools.pairwise(timed):
            if one > other:
                raise ValueError(f"has {float(other):g}s after {float(one):g}s: swap the two")
            if one == other and len(moments) > 2:
                raise ValueError(f"has two positions at {float(one):g}s: leave out one")
        for (one, before), (other, after) in itertools.pairwise(timed):
            if len(before) > 2 and not keeps_its_form(before, after):
                raise ValueError(
                    f"collapses between {float(one):g}s and {float(other):g}s: give the corners "
                    "of both positions in the same order, or more positions in between"
                )
        keys = tuple(timed) or ((Fraction(0), positions[0]),)
        return cls(rule, text, keys, start, end, units == {True})

    @property
    def is_rectangle(self) -> bool:
        """Whether it is a rectangle, so that a box says all of it."""
        return len(self.keys[0][1]) == 2

    @property
    def is_timed(self) -> bool:
        """Whether it needs to be known when a frame is shown."""
        return self.start is not None or self.end is not None or len(self.keys) > 1

    def scaled(self, x_ratio: float, y_ratio: float) -> Zone:
        """Return the zone in a frame that is `x_ratio` times as wide and `y_ratio` as high."""
        if self.is_percent:
            return self
        keys = tuple(
            (at, tuple((x * x_ratio, y * y_ratio) for x, y in points)) for at, points in self.keys
        )
        return replace(self, keys=keys)

    def meets(self, size: tuple[int, int]) -> bool:
        """Return whether any of its positions lies in a frame of this (width, height)."""
        boxes = bounds(self.corners(np.array([float(at) for at, _ in self.keys]), size))
        is_in = (boxes[:, :2] < size) & (boxes[:, 2:] > 0)
        return bool(is_in.all(axis=1).any())

    def active(
        self, ticks: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], time_base: Fraction
    ) -> npt.NDArray[np.bool_]:
        """Return in which frames it counts, shape (n,).

        A zone that hides counts in every frame that is on the screen at some time of it; one in
        which faces stay visible only in frames that begin in it.

        Args:
            ticks: when each frame begins, since the first one, shape (n,).
            ends: when the next one does, shape (n,).
            time_base: unit of both, in seconds.
        """
        if self.rule == "hide":
            return within(ticks, ends, time_base, self.start, self.end)
        first = -math.inf if self.start is None else math.ceil(self.start / time_base)
        last = math.inf if self.end is None else math.floor(self.end / time_base)
        is_in: npt.NDArray[np.bool_] = np.logical_and(ticks >= first, ticks <= last)
        return is_in

    def corners(
        self, seconds: npt.NDArray[np.float64], size: tuple[int, int]
    ) -> npt.NDArray[np.float64]:
        """Return its corners, in pixels of a frame of this size, shape (n, corners, 2).

        Args:
            seconds: since the first frame, shape (n,).
            size: (width, height) of the upright frame.
        """
        times = [float(at) for at, _ in self.keys]
        values = np.array([points for _, points in self.keys], np.float64)
        if self.is_percent:
            values = values * size / 100
        flat = values.reshape(len(times), -1)
        columns = [np.interp(seconds, times, column) for column in flat.T]
        return np.stack(columns, axis=1).reshape(len(seconds), -1, 2)

    def place(self, seconds: float, size: tuple[int, int]) -> tuple[Box, Points | None]:
        """Return the box around it at a time, and its corners; None for those of a rectangle.

        Args:
            seconds: since the first frame.
            size: (width, height) of the upright frame.
        """
        corners = self.corners(np.array([seconds]), size)
        box = Box(*bounds(corners)[0].tolist())
        return box, None if self.is_rectangle else tuple((x, y) for x, y in corners[0].tolist())

    def holds(
        self,
        boxes: npt.NDArray[np.floating],
        seconds: npt.NDArray[np.float64],
        size: tuple[int, int],
    ) -> npt.NDArray[np.bool_]:
        """Return which boxes lie in it: three quarters of their area at least, shape (n,).

        Args:
            boxes: one for each of the times, shape (n, 4).
            seconds: since the first frame, shape (n,).
            size: (width, height) of the upright frame.
        """
        corners = self.corners(seconds, size)
        share = _share_in_boxes if self.is_rectangle else _share_in_polygons
        parts = [
            share(np.asarray(boxes[at : at + _ROWS], np.float64), corners[at : at + _ROWS])
            for at in range(0, len(boxes), _ROWS)
        ]
        shares = np.concatenate([np.empty(0), *parts])
        is_in: npt.NDArray[np.bool_] = np.asarray(shares >= _INSIDE_SHARE, np.bool_)
        return is_in


def within(
    ticks: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    time_base: Fraction,
    start: Fraction | None,
    end: Fraction | None,
) -> npt.NDArray[np.bool_]:
    """Return which frames are on the screen at some time from `start` to `end`, shape (n,).

    Args:
        ticks: when each frame begins, since the first one, shape (n,).
        ends: when the next one does, shape (n,).
        time_base: unit of both, in seconds.
        start: in seconds since the first frame; None: the first frame.
        end: the same; None: the last frame.
    """
    is_in = np.ones(len(ticks), bool)
    if start is not None:
        is_in &= ends > math.floor(start / time_base)
    if end is not None:
        is_in &= ticks <= math.floor(end / time_base)
    return is_in


def bounds(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the boxes around polygons, shape (n, 4), of corners of shape (n, corners, 2)."""
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


def _share_in_boxes(
    boxes: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    low = np.maximum(boxes[:, :2], corners[:, 0])
    high = np.minimum(boxes[:, 2:], corners[:, 1])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    shares: npt.NDArray[np.float64] = shared / np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shares


def _share_in_polygons(
    boxes: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return which share of points in each box lies inside of its polygon: the even-odd rule."""
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    down, across = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    sides = boxes[:, 2:] - boxes[:, :2]
    xs = boxes[:, :1] + across * sides[:, :1]
    ys = boxes[:, 1:2] + down * sides[:, 1:]
    is_in = np.zeros(xs.shape, bool)
    for here, there in zip(
        np.moveaxis(corners, 1, 0), np.moveaxis(np.roll(corners, 1, axis=1), 1, 0), strict=True
    ):
        (x, y), (other_x, other_y) = here.T[..., None], there.T[..., None]
        crosses = (y > ys) != (other_y > ys)
        rise = np.where(other_y == y, 1.0, other_y - y)
        is_in ^= crosses & (xs < x + (ys - y) * (other_x - x) / rise)
    return np.asarray(is_in.mean(axis=1), np.float64)


def _moments(text: str) -> tuple[list[Fraction | None], list[Points], set[bool]]:
    """Return the times of a zone's positions, the positions, and whether they are in percent.

    A time without a position has that of the next one.
    """
    parts = text.split("..")
    moments: list[Fraction | None] = []
    positions: list[Points] = []
    units = set()
    for number, part in enumerate(parts):
        when, has_area, area = part.partition("=")
        is_end = number in (0, len(parts) - 1)
        if when:
            moments.append(_time(when))
        elif is_end and len(parts) > 1:
            moments.append(None)
        else:
            raise ValueError(f"has no time before '={area}': give {_EXAMPLES}")
        if has_area:
            points, is_percent = _points(area)
            units.add(is_percent)
            positions += [points] * (len(moments) - len(positions))
    if len(positions) < len(moments):
        raise ValueError(f"has a time without an area: give {_EXAMPLES}")
    for at, neighbor in ((0, 1), (-1, -2)):
        if moments[at] is None and positions[at] != positions[neighbor]:
            raise ValueError("moves to a place without a time: give the time before its '='")
    if len(parts) == 1:
        raise ValueError(f"has one time only: give a span such as {parts[0].replace('=', '..=')}")
    return moments, positions, units


def _time(text: str) -> Fraction:
    seconds = seconds_of(text)
    if seconds is None:
        raise ValueError(
            f"has '{text}', which {why_no_time(text)}: give seconds (12.5s) or 1:02:03.4"
        )
    return seconds


def _points(text: str) -> tuple[Points, bool]:
    """Return the corners of an area, and whether they are in percent."""
    numbers = text.split(",")
    is_percent = text.endswith("%")
    if any(number.endswith("%") != is_percent for number in numbers):
        raise ValueError("has pixels and percent: give all numbers in one of them")
    values = []
    for number in numbers:
        digits = number.removesuffix("%").strip()
        if not _NUMBER.fullmatch(digits) or abs(float(digits)) > _FARTHEST:
            raise ValueError(f"has '{number[:20]}', which is no number: give {_EXAMPLES}")
        values.append(float(digits))
    points = tuple(zip(values[::2], values[1::2], strict=False))
    if len(values) % 2 or len(points) < 2:
        raise ValueError(f"has {len(values)} number{'s' * (len(values) != 1)}: give {_EXAMPLES}")
    if len(points) > _MAX_CORNERS:
        raise ValueError(f"has {len(points)} corners: give at most {_MAX_CORNERS}")
    if len(points) == 2:
        (left, top), (right, bottom) = points
        if not (left < right and top < bottom):
            raise ValueError("has no area: give left,top,right,bottom, left < right, top < bottom")
    elif crosses_itself(points):
        raise ValueError("has sides that cross: give the corners in their order around the zone")
    elif not area(points):
        raise ValueError("has no area: give corners that do not lie on one line")
    return points, is_percent
