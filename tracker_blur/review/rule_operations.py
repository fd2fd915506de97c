"""Operations of a review on zones, audio and limits; each returns the next state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from tracker_blur.annotations import rule_edits
from tracker_blur.core.audio_spans import AudioEffect, AudioSpan
from tracker_blur.core.rules import Size
from tracker_blur.core.times import seconds_of
from tracker_blur.core.zones import Zone, ZoneRule
from tracker_blur.errors import SettingsError
from tracker_blur.text import listed

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.review.fields import Fields
    from tracker_blur.review.state import ReviewState


def zone(state: ReviewState, fields: Fields) -> ReviewState:
    """Add a zone, or change one."""
    rule, where = fields.text("rule"), fields.text("where")
    if rule not in get_args(ZoneRule):
        raise SettingsError(f"rule is {rule[:40]!r}: give {listed(get_args(ZoneRule))}")
    try:
        zone = Zone.parse("hide" if rule == "hide" else "ignore", where)
    except ValueError as error:
        raise SettingsError(f"the zone {error}") from error
    if fields.is_null("number"):
        return replace(state, tracks=rule_edits.add_zone(state.tracks, zone))
    return replace(state, tracks=rule_edits.change_zone(state.tracks, fields.whole("number"), zone))


def drop_zone(state: ReviewState, fields: Fields) -> ReviewState:
    """Delete a zone."""
    return replace(state, tracks=rule_edits.drop_zones(state.tracks, [fields.whole("number")]))


def sound(state: ReviewState, fields: Fields) -> ReviewState:
    """Add a span of audio that is replaced, or change one."""
    effect, where = fields.text("effect"), fields.text("where")
    if effect not in get_args(AudioEffect):
        raise SettingsError(f"effect is {effect[:40]!r}: give {listed(get_args(AudioEffect))}")
    try:
        span = AudioSpan.parse("mute" if effect == "mute" else "bleep", where)
    except ValueError as error:
        raise SettingsError(f"the sound {error}") from error
    if fields.is_null("number"):
        return replace(state, tracks=rule_edits.add_sound(state.tracks, span))
    return replace(
        state, tracks=rule_edits.change_sound(state.tracks, fields.whole("number"), span)
    )


def drop_sound(state: ReviewState, fields: Fields) -> ReviewState:
    """Delete such a span."""
    return replace(state, tracks=rule_edits.drop_sounds(state.tracks, [fields.whole("number")]))


def limits(state: ReviewState, fields: Fields) -> ReviewState:
    """Change the sizes and times outside of which faces stay visible."""
    limits: dict[str, Size | Fraction | None] = {}
    for name in ("min_size", "max_size"):
        if name in fields:
            limits[name] = None if fields.is_null(name) else _size(fields.text(name), name)
    for name, limit in (("from", "start"), ("to", "end")):
        if name in fields:
            limits[limit] = None if fields.is_null(name) else _time(fields.text(name), name)
    return replace(state, tracks=rule_edits.set_limits(state.tracks, **limits))


def _size(text: str, name: str) -> Size:
    try:
        return Size.parse(text)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from error


def _time(text: str, name: str) -> Fraction:
    seconds = seconds_of(text)
    if seconds is None:
        raise SettingsError(f"{name} is {text[:40]!r}: give a time such as 12.5s or 1:02:03.4")
    return seconds
