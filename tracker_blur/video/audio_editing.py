"""AudioEditor: replaces parts of decoded audio by silence or a tone, exact to the sample."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from av.audio.frame import AudioFrame

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from av.container import InputContainer

    from tracker_blur.core.audio_spans import AudioSpan

_TONE_HERTZ = 1000  # as on television
_TONE_LEVEL = 0.1  # of full scale, -20 dB: as loud as speech
_FADE_SECONDS = 0.005  # of the tone, within the span: it does not click

_PEAKS = {"s16": 1 << 15, "s32": 1 << 31, "flt": 1.0, "dbl": 1.0}


class AudioEditor:
    """Replaces what lies in some spans of time, in the audio of one video.

    Args:
        spans: what is replaced, and how; where several meet, the last one counts.

    Attributes:
        origin: the time of the first frame on the input's clock, in seconds; None: it is not known
            yet.
        lead: by how many seconds spans begin earlier than they say, as audio does.
        lag: by how many seconds they end later than they say, as audio begins later.
    """

    def __init__(self, spans: Sequence[AudioSpan]) -> None:
        self._spans = tuple(spans)
        self.origin: Fraction | None = None
        self.lead = self.lag = Fraction(0)

    @property
    def has_times(self) -> bool:
        """Whether it is for a part of the audio only."""
        return any(span.start is not None or span.end is not None for span in self._spans)

    def set_clock(self, origin: Fraction, audio_starts: Sequence[Fraction]) -> None:
        """Set when the first frame is shown and when the audio begins; before any is edited.

        Spans count from the first frame, but an audio editor's times from the first sample. Where
        that is earlier in one of the tracks, a span begins that much earlier than it says, and
        where it is later, it ends that much later: so it covers what either of them means.

        Args:
            origin: the time of the first frame on the input's clock, in seconds.
            audio_starts: the same of the first sample of each track, as far as it is known.
        """
        self.origin = origin
        if any(span.start is not None for span in self._spans):
            self.lead = origin - min([origin, *audio_starts])
        if any(span.end is not None for span in self._spans):
            self.lag = max([origin, *audio_starts]) - origin
        self._spans = tuple(
            replace(
                span,
                start=None if span.start is None else span.start - self.lead,
                end=None if span.end is None else span.end + self.lag,
            )
            for span in self._spans
        )

    def meets(self, begin: Fraction, end: Fraction | None) -> bool:
        """Return whether audio is replaced at some time from `begin` until `end`.

        Args:
            begin: on the input's clock, in seconds.
            end: the same; None: it has no end.
        """
        assert self.origin is not None  # video is written first
        begin, end = begin - self.origin, None if end is None else end - self.origin
        return any(span.meets(begin, end) for span in self._spans)

    def edited(self, frame: AudioFrame) -> AudioFrame:
        """Return a frame of packed samples with what lies in the spans replaced.

        A sample that lies in a span only in part is replaced, too.

        Args:
            frame: its time is on the input's clock.
        """
        assert self.origin is not None  # video is written first
        rate, count = frame.sample_rate, frame.samples
        assert frame.pts is not None
        assert frame.time_base is not None
        begin = (frame.pts * frame.time_base - self.origin) * rate  # in samples
        samples: Any = None
        for span in self._spans:
            first, end = 0, count
            if span.start is not None:
                first = max(0, math.floor(span.start * rate - begin))
            if span.end is not None:
                end = min(count, math.ceil(span.end * rate - begin))
            if first >= end:
                continue
            if samples is None:
                samples = frame.to_ndarray().copy().reshape(count, -1)
            values: Any = 0
            if span.effect == "bleep":
                at = float(begin) + np.arange(first, end)
                values = _tone(at, span, rate) * _PEAKS[frame.format.name]
                values = values[:, None].astype(samples.dtype)
            samples[first:end] = values
        if samples is None:
            return frame
        edited = AudioFrame.from_ndarray(
            samples.reshape(1, -1), frame.format.name, frame.layout.name
        )
        edited.sample_rate, edited.pts, edited.time_base = rate, frame.pts, frame.time_base
        return edited


def audio_starts(container: InputContainer, kept: Collection[int]) -> list[Fraction]:
    """Return when audio begins, in seconds on the input's clock, as far as it is known.

    Args:
        container: the input.
        kept: the indexes of the tracks that count.
    """
    return [
        stream.start_time * stream.time_base
        for stream in container.streams.audio
        if stream.index in kept and stream.start_time is not None and stream.time_base is not None
    ]


def _tone(at: Any, span: AudioSpan, rate: int) -> Any:
    """Return the tone of a span for samples, counted from the first video frame."""
    inside = np.full(len(at), 1.0)
    fade = _FADE_SECONDS * rate
    if span.start is not None:
        inside = np.minimum(inside, (at - float(span.start * rate)) / fade)
    if span.end is not None:
        inside = np.minimum(inside, (float(span.end * rate) - at) / fade)
    return _TONE_LEVEL * np.clip(inside, 0, 1) * np.sin(2 * np.pi * _TONE_HERTZ / rate * at)
