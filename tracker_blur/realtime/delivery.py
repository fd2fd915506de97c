"""What the output delivers to targets: redacted frames, audio, and the format of both."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tracker_blur.video.stream_info import ColorTags

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tracker_blur.core.frame import RedactedFrame

AUDIO_RATE = 48_000
"""Samples per second and channel."""

AUDIO_CHANNELS = 2

UNTAGGED = ColorTags(primaries=2, transfer=2, matrix=2, range=1)
"""Limited range, the rest unspecified."""

TIME_BASE = Fraction(1, 1_000_000)
"""Time base of all frames of a session, whose clock starts at 0 and only rises."""


@dataclass(frozen=True, slots=True)
class Format:
    """The format of frames and audio; fixed for a whole session.

    Attributes:
        size: (width, height) in square pixels, both even. All frames are upright 8-bit yuv420p.
        rate: Frames per second.
        audio_rate: Samples per second of stereo audio; None: there is no audio.
        color: What the samples of all frames mean.
    """

    size: tuple[int, int]
    rate: Fraction
    audio_rate: int | None = None
    color: ColorTags = UNTAGGED


@dataclass(frozen=True, slots=True)
class Delivery:
    """One frame on its way to the targets.

    Attributes:
        redacted: The frame, made by `tracker_blur.redaction.redactor` only, also when it is
            blanked. Its frame is a `DecodedFrame` that targets share: it must not be written to.
        seconds: When to show it, on the session's clock.
        captured_at: `time.monotonic()` when the source's frame was captured.
        is_blank: Whether the whole frame is hidden.
    """

    redacted: RedactedFrame
    seconds: float
    captured_at: float
    is_blank: bool


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A stretch of audio that goes with the frames.

    Attributes:
        samples: -1 to 1, shape (AUDIO_CHANNELS, n), at AUDIO_RATE.
        seconds: When to play its first sample, on the session's clock.
    """

    samples: npt.NDArray[np.float32]
    seconds: float
