"""Rules: zones, sizes and times that decide what is hidden besides what was detected, and what not.

A face stays visible only if its whole track says so: in doubt it is hidden. For an ignore zone, the
track lies in the zone in every frame in which both exist, so a person who walks past a poster is
hidden in front of it, too. For the least and the largest size, the track has such a size in every
frame. Boxes that a person drew are never left visible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core.audio_spans import MAX_AUDIO_SPANS, AudioSpan
from tracker_blur.core.times import format_seconds
from tracker_blur.core.zones import MAX_ZONES, Zone, ZoneRule, within
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from tracker_blur.core.box import Box

Reason: TypeAlias = Literal["track", "zone", "size", "time"]
"""Why something stays visible: its track is, an ignore zone, its size, or it is not the time."""

REASONS: dict[Reason, str] = {
    "track": "as its track says",
    "zone": "in ignore zones",
    "size": "by size",
    "time": "outside of the chosen time",
}
"""The reasons in words."""

_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(%?)")
_LARGEST_SIZE = 100_000.0
_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Size:
    """A size of faces, by their longer sides.

    Attributes:
        value: in pixels, or in percent of the frame's shorter side.
        is_percent: which of them.
    """

    value: float
    is_percent: bool = False

    @classmethod
    def parse(cls, given: object) -> Size:
        """Return the size that a number of pixels, or a text such as "24" or "3%", stands for.

        Raises:
            ValueError: It stands for none.
        """
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
        match = _SIZE.fullmatch(f"{given:.6f}" if is_number else str(given))
        value = 0.0 if match is None else float(match[1])
        is_percent = bool(match and match[2])
        if not 0 < value <= (100 if is_percent else _LARGEST_SIZE):
            raise ValueError(f"is {given!r}: give pixels, such as 24, or a share, such as 3%")
        return cls(value, is_percent)

    def __str__(self) -> str:
        return f"{self.value:g}{'%' if self.is_percent else ''}"

    def pixels(self, frame_size: tuple[int, int]) -> float:
        """Return the size in pixels of a frame of this (width, height)."""
        return self.value * min(frame_size) / 100 if self.is_percent else self.value


@dataclass(frozen=True, slots=True)
class Rules:
    """What is hidden besides what was detected, and what of that stays visible.

    Attributes:
        zones: parts of the frame, in the order of their numbers.
        min_size: faces that are always smaller stay visible.
        max_size: faces that are always larger stay visible.
        start: detections before this time stay visible, in seconds since the first frame.
        end: those after this time stay visible.
        audio: what of the audio is replaced.
    """

    zones: tuple[Zone, ...] = ()
    min_size: Size | None = None
    max_size: Size | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    audio: tuple[AudioSpan, ...] = ()

    def __post_init__(self) -> None:
        if len(self.zones) > MAX_ZONES:
            raise SettingsError(f"there are {len(self.zones)} zones: give at most {MAX_ZONES}")
        if len(self.audio) > MAX_AUDIO_SPANS:
            raise SettingsError(
                f"there are {len(self.audio)} spans of audio: give at most {MAX_AUDIO_SPANS}"
            )
        if self.start is not None and self.end is not None and self.start > self.end:
            raise SettingsError(
                f"the time from {float(self.start):g}s to {float(self.end):g}s ends before it "
                "begins: swap the two"
            )
        low, high = self.min_size, self.max_size
        if low is None or high is None or low.is_percent != high.is_percent:
            return
        if low.value > high.value:
            raise SettingsError(
                f"the least size, {low}, is above the largest, {high}: swap the two"
            )

    @property
    def hide_zones(self) -> tuple[Zone, ...]:
        """The zones in which everything is hidden."""
        return self._zones("hide")

    @property
    def ignore_zones(self) -> tuple[Zone, ...]:
        """The zones in which faces stay visible."""
        return self._zones("ignore")

    @property
    def has_span(self) -> bool:
        """Whether detections are hidden for a time only."""
        return self.start is not None or self.end is not None

    @property
    def concerns_frames(self) -> bool:
        """Whether any rule says more than what of the audio is replaced."""
        return replace(self, audio=()) != NO_RULES

    @property
    def begins(self) -> list[tuple[Fraction, str]]:
        """When each rule begins that does so at a time, in seconds, and what it is, in words."""
        zones = [(zone.start, f"the zone {zone.text}") for zone in self.zones]
        audio = [(span.start, f"{span.effect} {span.text}") for span in self.audio]
        all_of_them = [(self.start, "hiding faces"), *zones, *audio]
        return [(start, what) for start, what in all_of_them if start is not None]

    @property
    def is_timed(self) -> bool:
        """Whether any rule needs to know when a frame is shown."""
        return self.has_span or bool(self.audio) or any(zone.is_timed for zone in self.zones)

    @property
    def span(self) -> str:
        """When detections are hidden, in words."""
        parts = [
            f"{word} {format_seconds(at)}"
            for word, at in (("from", self.start), ("to", self.end))
            if at is not None
        ]
        return " ".join(parts)

    def scaled(self, x_ratio: float, y_ratio: float) -> Rules:
        """Return the rules in a frame that is `x_ratio` times as wide and `y_ratio` as high."""
        ratio = min(x_ratio, y_ratio)
        sizes = [
            size if size is None or size.is_percent else Size(size.value * ratio)
            for size in (self.min_size, self.max_size)
        ]
        zones = tuple(zone.scaled(x_ratio, y_ratio) for zone in self.zones)
        return replace(self, zones=zones, min_size=sizes[0], max_size=sizes[1])

    def check(self, size: tuple[int, int], name: str) -> None:
        """Check that all zones lie in a frame of this (width, height), if only in part.

        Raises:
            SettingsError: One lies outside. `name` is the file's.
        """
        for zone in self.zones:
            if not zone.meets(size):
                raise SettingsError(
                    f"{name}: the zone {zone.text} lies outside of the frame, which has "
                    f"{size[0]}x{size[1]} pixels: give a place in it"
                )

    def has_other_size(
        self, boxes: npt.NDArray[np.floating], frame_size: tuple[int, int]
    ) -> npt.NDArray[np.bool_]:
        """Return which boxes are smaller or larger than what is hidden, shape (n,)."""
        sizes = np.max(boxes[:, 2:] - boxes[:, :2], axis=1)
        is_other = np.zeros(len(boxes), bool)
        if self.min_size is not None:
            is_other |= sizes < self.min_size.pixels(frame_size)
        if self.max_size is not None:
            is_other |= sizes > self.max_size.pixels(frame_size)
        return is_other

    def reason_for(self, box: Box, frame_size: tuple[int, int], seconds: Fraction) -> Reason | None:
        """Return why a face that is seen in one frame stays visible; None: it is to be hidden.

        Args:
            box: the face.
            frame_size: (width, height) of the upright frame.
            seconds: since the first frame; containers round it to milliseconds.
        """
        tick = np.array([round(seconds * 1000)], np.int64)
        if not within(tick, tick + 1, _MILLISECOND, self.start, self.end)[0]:
            return "time"
        boxes = np.array([box.as_tuple()], np.float64)
        if self.has_other_size(boxes, frame_size)[0]:
            return "size"
        at = np.array([float(seconds)])
        for zone in self.ignore_zones:
            if zone.active(tick, tick, _MILLISECOND)[0] and zone.holds(boxes, at, frame_size)[0]:
                return "zone"
        return None

    def hidden_boxes(self, frame_size: tuple[int, int], seconds: Fraction) -> list[Box]:
        """Return the boxes around the zones that are hidden in a frame; as in `reason_for`."""
        return [
            zone.place(float(seconds), frame_size)[0]
            for zone in self.hide_zones
            if zone.start is None or zone.start - _MILLISECOND <= seconds
            if zone.end is None or seconds <= zone.end + _MILLISECOND
        ]

    def _zones(self, rule: ZoneRule) -> tuple[Zone, ...]:
        return tuple(zone for zone in self.zones if zone.rule == rule)


NO_RULES = Rules()
"""All that was detected is hidden, and nothing else."""
