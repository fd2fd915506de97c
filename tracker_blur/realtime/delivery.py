"""What goes from the outlet to the targets: redacted pictures, sound, and what both are like."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import RedactedFrame

SOUND_RATE = 48_000
"""Samples a second, of each channel."""

SOUND_CHANNELS = 2

TIME_BASE = Fraction(1, 1_000_000)
"""Of every frame of a session: seconds on its own clock, which starts at 0 and only rises."""


@dataclass(frozen=True, slots=True)
class Format:
    """What pictures and sound are like, fixed for a whole session.

    size        (width, height) in pixels, both even; all pictures are yuv420p, 8 bit, upright
    rate        frames per second
    sound_rate  samples a second of stereo sound; None: there is no sound
    """

    size: tuple[int, int]
    rate: Fraction
    sound_rate: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One picture on its way to targets.

    redacted  made by `tracker_blur.redaction.redactor` only, covers included; its frame is a
              `DecodedFrame`, shared between targets: to be read, never written into
    seconds   when to show it, on the session's clock
    arrived   `time.monotonic()` when the source's frame was at hand
    is_cover  whether the whole picture is hidden
    """

    redacted: RedactedFrame
    seconds: float
    arrived: float
    is_cover: bool


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A stretch of sound that goes with the pictures.

    samples  -1 to 1, shape (SOUND_CHANNELS, n), at SOUND_RATE
    seconds  when to play its first sample, on the session's clock
    """

    samples: npt.NDArray[np.float32]
    seconds: float
