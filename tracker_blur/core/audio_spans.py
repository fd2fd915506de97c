"""Audio spans: parts of the audio in which it is silent, or a tone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tracker_blur.core.times import seconds_of, why_no_time

if TYPE_CHECKING:
    from fractions import Fraction

AudioEffect: TypeAlias = Literal["mute", "bleep"]

MAX_AUDIO_SPANS = 1000
"""How many spans one video may have."""

_EXAMPLE = "give one such as 10s..15s"


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
        if not is_span:
            raise ValueError(f"is no span of time: {_EXAMPLE}")
        start, end = (cls._time(part) for part in (first, second))
        if start is not None and end is not None and start >= end:
            if start == end:
                raise ValueError(f"lasts no time: {_EXAMPLE}")
            raise ValueError("ends before it begins: swap the two")
        return cls(effect, text, start, end)

    @staticmethod
    def _time(text: str) -> Fraction | None:
        """Return the seconds of one side; None for an open one."""
        seconds = seconds_of(text) if text else None
        if text and seconds is None:
            raise ValueError(f"has '{text}', which {why_no_time(text)}: {_EXAMPLE}")
        return seconds
