"""Settings of zones, sizes and spans of audio, parsed; errors name the setting."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker_blur.core.audio_spans import AudioSpan
from tracker_blur.core.rules import Size
from tracker_blur.core.zones import Zone
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracker_blur.core.audio_spans import AudioEffect
    from tracker_blur.core.zones import ZoneRule


def zones(rule: ZoneRule, texts: object) -> tuple[Zone, ...]:
    """Return the zones that texts describe; raises SettingsError."""
    name = f"{rule}_zones"
    parsed = []
    for text in _texts(texts, name, "10,20,200,80"):
        with _naming(name, text):
            parsed.append(Zone.parse(rule, text))
    return tuple(parsed)


def audio_spans(audio: str, texts: Mapping[AudioEffect, object]) -> tuple[AudioSpan, ...]:
    """Return the spans of audio that are edited.

    Args:
        audio: The setting of that name: an effect for all of it, "keep" or "drop".
        texts: Texts that describe spans, by their effect, which is also their setting's name.

    Raises:
        SettingsError: A text describes no span, or the audio is dropped.
    """
    spans: list[AudioSpan] = []
    for effect, of_effect in texts.items():
        given = _texts(of_effect, effect, "10s..15s")
        if given and audio == "drop":
            raise SettingsError(
                "needs audio, which is dropped: leave out", setting=effect, remedy="audio"
            )
        if audio == effect:
            spans.append(AudioSpan(effect, ".."))
        for text in given:
            with _naming(effect, text):
                spans.append(AudioSpan.parse(effect, text))
    return tuple(spans)


def size(name: str, value: float | str | None) -> Size | None:
    """Return the limit that a setting describes; raises SettingsError."""
    try:
        return None if value is None else Size.parse(value)
    except ValueError as error:
        raise SettingsError(str(error), setting=name) from error


def _texts(texts: object, name: str, example: str) -> tuple[str, ...]:
    if not isinstance(texts, tuple) or not all(isinstance(text, str) for text in texts):
        raise SettingsError(
            f"is {texts!r}: give a tuple of texts such as ('{example}',)", setting=name
        )
    return texts


@contextmanager
def _naming(name: str, text: str) -> Iterator[None]:
    """Name a setting, and its text, in errors of the block."""
    try:
        yield
    except ValueError as error:
        raise SettingsError(f"'{text[:60]}' {error}", setting=name) from error
