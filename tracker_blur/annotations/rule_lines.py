"""Zones, limits and spans of audio in track files."""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, get_args

from tracker_blur.annotations.rows import LARGEST_ID
from tracker_blur.annotations.values import InvalidValueError, check_keys, invalid, whole_number
from tracker_blur.core.audio_spans import MAX_AUDIO_SPANS, AudioEffect, AudioSpan
from tracker_blur.core.rules import Rules, Size
from tracker_blur.core.times import seconds_of
from tracker_blur.core.zones import MAX_ZONES, Zone, ZoneRule
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from fractions import Fraction

_LIMIT_KEYS = {"min_size", "max_size", "from", "to"}


class RuleCollector:
    """Collects the lines of a track file that hold rules; raises InvalidValueError."""

    def __init__(self) -> None:
        self._zones: dict[int, Zone] = {}
        self._sounds: dict[int, AudioSpan] = {}
        self._limits: dict[str, Any] | None = None

    def add_zone(self, line: dict[str, Any]) -> None:
        """Add the zone of a line."""
        check_keys(line, {"zone", "rule", "where"})
        number = whole_number(line["zone"], "zone", 1, LARGEST_ID)
        if number in self._zones:
            raise InvalidValueError(f"zone {number} is given twice: remove one of them")
        if line["rule"] not in get_args(ZoneRule):
            raise invalid("rule", line["rule"], " or ".join(get_args(ZoneRule)))
        if not isinstance(line["where"], str):
            raise invalid("where", line["where"], "a text such as '10,20,200,80'")
        if len(self._zones) == MAX_ZONES:
            raise InvalidValueError(f"there are more than {MAX_ZONES} zones: remove some")
        try:
            self._zones[number] = Zone.parse(line["rule"], line["where"])
        except ValueError as error:
            raise InvalidValueError(f"zone {number} {error}") from error

    def add_sound(self, line: dict[str, Any]) -> None:
        """Add the span of audio of a line."""
        check_keys(line, {"sound", "effect", "where"})
        number = whole_number(line["sound"], "sound", 1, LARGEST_ID)
        if number in self._sounds:
            raise InvalidValueError(f"sound {number} is given twice: remove one of them")
        if line["effect"] not in get_args(AudioEffect):
            raise invalid("effect", line["effect"], " or ".join(get_args(AudioEffect)))
        if not isinstance(line["where"], str):
            raise invalid("where", line["where"], "a text such as '10s..15s'")
        if len(self._sounds) == MAX_AUDIO_SPANS:
            raise InvalidValueError(f"there are more than {MAX_AUDIO_SPANS} sounds: remove some")
        try:
            self._sounds[number] = AudioSpan.parse(line["effect"], line["where"])
        except ValueError as error:
            raise InvalidValueError(f"sound {number} {error}") from error

    def set_limits(self, line: dict[str, Any]) -> None:
        """Set the limits; there is one such line."""
        check_keys(line, {"limits"})
        if self._limits is not None:
            raise InvalidValueError("is a second line of limits: remove one of them")
        if not isinstance(line["limits"], dict):
            raise invalid("limits", line["limits"], "an object in braces")
        check_keys(line["limits"], (), _LIMIT_KEYS)
        self._limits = line["limits"]
        self._checked_limits()

    def _checked_limits(self) -> Rules:
        """Return the limits as rules without zones."""
        try:
            return Rules(
                min_size=self._size("min_size"),
                max_size=self._size("max_size"),
                start=self._time("from"),
                end=self._time("to"),
            )
        except SettingsError as error:
            raise InvalidValueError(str(error)) from error

    def _size(self, key: str) -> Size | None:
        value = (self._limits or {}).get(key)
        try:
            return None if value is None else Size.parse(value)
        except ValueError as error:
            raise InvalidValueError(f"{key} {error}") from error

    def _time(self, key: str) -> Fraction | None:
        value = (self._limits or {}).get(key)
        seconds = seconds_of(value) if isinstance(value, str) else None
        if value is not None and seconds is None:
            raise invalid(key, value, "a time such as '12.5s' or '1:02:03.4'")
        return seconds

    def rules(self, size: tuple[int, int]) -> Rules:
        """Return what all lines say, for frames of this size."""
        zones = tuple(zone for _, zone in sorted(self._zones.items(), key=itemgetter(0)))
        for zone_number, zone in self._zones.items():
            if not zone.meets(size):
                raise InvalidValueError(
                    f"zone {zone_number} lies outside of the frame, which has "
                    f"{size[0]}x{size[1]} pixels: give a place in it"
                )
        audio = tuple(span for _, span in sorted(self._sounds.items(), key=itemgetter(0)))
        return replace(self._checked_limits(), zones=zones, audio=audio)
