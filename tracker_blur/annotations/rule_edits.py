"""Edits of a video's zones, sounds and limits, as functions from Tracks to Tracks.

Zones and sounds have numbers from 1; an unknown one raises SettingsError.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tracker_blur.core.audio_spans import AudioSpan
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.core.zones import Zone


def add_zone(tracks: Tracks, zone: Zone) -> Tracks:
    """Add a zone, with the next free number.

    Raises:
        SettingsError: It lies outside of the frame, or there are too many zones.
    """
    return _with_zones(tracks, (*tracks.rules.zones, zone))


def change_zone(tracks: Tracks, number: int, zone: Zone) -> Tracks:
    """Replace a zone, by its number, from 1.

    Raises:
        SettingsError: There is none of that number, or the new one lies outside of the frame.
    """
    zones = list(tracks.rules.zones)
    _check_number(number, zones, "zone")
    zones[number - 1] = zone
    return _with_zones(tracks, tuple(zones))


def drop_zones(tracks: Tracks, numbers: Collection[int]) -> Tracks:
    """Remove zones by their numbers, from 1; the others get new numbers."""
    zones = tracks.rules.zones
    for number in numbers:
        _check_number(number, zones, "zone")
    kept = tuple(zone for number, zone in enumerate(zones, 1) if number not in numbers)
    return replace(tracks, rules=replace(tracks.rules, zones=kept))


def add_sound(tracks: Tracks, span: AudioSpan) -> Tracks:
    """Add a span of audio that is replaced, with the next free number.

    Raises:
        SettingsError: There are too many.
    """
    return replace(tracks, rules=replace(tracks.rules, audio=(*tracks.rules.audio, span)))


def change_sound(tracks: Tracks, number: int, span: AudioSpan) -> Tracks:
    """Replace a span of audio, by its number, from 1; raises SettingsError if there is none."""
    spans = list(tracks.rules.audio)
    _check_number(number, spans, "sound")
    spans[number - 1] = span
    return replace(tracks, rules=replace(tracks.rules, audio=tuple(spans)))


def drop_sounds(tracks: Tracks, numbers: Collection[int]) -> Tracks:
    """Remove spans of audio by their numbers, from 1; the others get new numbers."""
    spans = tracks.rules.audio
    for number in numbers:
        _check_number(number, spans, "sound")
    kept = tuple(span for number, span in enumerate(spans, 1) if number not in numbers)
    return replace(tracks, rules=replace(tracks.rules, audio=kept))


def set_limits(tracks: Tracks, **limits: Any) -> Tracks:
    """Set limits of `Rules`: `min_size`, `max_size`, `start` or `end`; None takes one away.

    Raises:
        SettingsError: They contradict each other.
    """
    return replace(tracks, rules=replace(tracks.rules, **limits))


def _with_zones(tracks: Tracks, zones: tuple[Zone, ...]) -> Tracks:
    rules = replace(tracks.rules, zones=zones)
    rules.check(tracks.size, "the video")
    return replace(tracks, rules=rules)


def _check_number(number: int, known: Sequence[Zone | AudioSpan], name: str) -> None:
    if not 1 <= number <= len(known):
        text = f"{name}s go from 1 to {len(known)}" if known else "there are none"
        raise SettingsError(f"there is no {name} {number}: {text}")
