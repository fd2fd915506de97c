"""Audio spans: parts of the audio in which it is silent, or a tone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tracker_blur.core.times import seconds_of

if TYPE_CHECKING:
    from fractions import Fraction

AudioEffect: TypeAlias = Literal["mute", "bleep"]

MAX_AUDIO_SPANS = 1000
"""How many spans one video may have."""


@dataclass(frozen=True, slots=True)
class AudioSpan:
    """A part of the audio that is replaced, in all of its tracks.

    Attributes:
        effect: "mute": by silence; "bleep": by a tone.
        text: how it is written.
        start: in seconds since the first frame; None: when the audio begins.
        end: the same; None: when it ends.
    """

    effect: AudioEffect
    text: str
    start: Fraction | None = None
    end: Fraction | None = None

    def meets(self, begin: Fraction, end: Fraction | None) -> bool:
        """Return whether it has a moment in common with what lasts from `begin` until `end`.

        Args:
            begin: in seconds since the first frame.
            end: the same; None: it never ends.
        """
        is_before = self.start is not None and end is not None and end <= self.start
        return not is_before and (self.end is None or begin < self.end)

    @classmethod
    def parse(cls, effect: AudioEffect, text: str) -> AudioSpan:
        """Return the span that a text such as "10s..15s", "..0:15" or "1:02.5.." stands for.

        Raises:
            ValueError: It stands for none. The message says what is wrong, and what to give.
        """
        first, is_span, second = text.partition("..")
        if second.startswith("."):  # "5...7s"
            is_span = ""
        times = [seconds_of(part) if part else None for part in (first, second)]
        if not is_span or any(
            part and time is None for part, time in zip((first, second), times, strict=True)
        ):
            raise ValueError("is no span of time: give one such as 10s..15s")
        start, end = times
        if start is not None and end is not None and start >= end:
            raise ValueError("ends before it begins: swap the two")
        return cls(effect, text, start, end)
