"""Keeps captured audio together with the frames, whatever the clocks of camera and sound card do.

Audio is counted in samples, frames in timestamps, and no two clocks run alike: 100 parts in a
million are a second in three hours. The difference is resampled away, too slowly to be heard.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.realtime.delivery import AUDIO_CHANNELS, AUDIO_RATE, AudioChunk

if TYPE_CHECKING:
    from tracker_blur.realtime.settings import LiveTiming

_Samples = npt.NDArray[np.float32]


class AudioSync:
    """Places chunks of audio one after the other on the session's clock.

    Small gaps and overlaps, which jitter makes, are closed. What remains of them is drift: chunks
    are stretched or shortened a little until it is gone. Larger gaps stay, and overlaps are
    dropped.
    """

    def __init__(self, timing: LiveTiming) -> None:
        self._timing = timing
        self._end = 0.0
        self._drift_seconds = 0.0  # how much too early the audio is, smoothed
        self._stretcher = _Stretcher()

    def placed(self, samples: _Samples, seconds: float) -> AudioChunk | None:
        """Return a chunk at its place; None: all of it was played already.

        Args:
            samples: As in `AudioChunk`.
            seconds: When to play its first sample, on the session's clock.
        """
        timing = self._timing
        gap = seconds - self._end
        if abs(gap) < timing.audio_gap_seconds:
            share = min(1.0, samples.shape[1] / AUDIO_RATE / timing.audio_smoothing_seconds)
            self._drift_seconds += share * (gap - self._drift_seconds)
            samples = self._stretcher.stretched(samples, self._stretch_share())
        else:
            overlap = max(0, round(-gap * AUDIO_RATE))
            if overlap >= samples.shape[1]:
                return None
            samples = samples[:, overlap:]
            self._end = max(seconds, self._end)
            self._drift_seconds, self._stretcher = 0.0, _Stretcher()
        chunk = AudioChunk(samples, self._end)
        self._end += samples.shape[1] / AUDIO_RATE
        return chunk

    def _stretch_share(self) -> float:
        """Return by which share the next chunk is to be longer; what jitter makes is left alone."""
        timing = self._timing
        excess = max(0.0, abs(self._drift_seconds) - timing.audio_jitter_seconds)
        share = min(timing.drift_share, excess / timing.audio_sync_seconds)
        return math.copysign(share, self._drift_seconds)


class _Stretcher:
    """Resamples a stream of audio by cubic (Catmull-Rom) interpolation, once there is a need."""

    def __init__(self) -> None:
        self._rest: _Samples = np.zeros((AUDIO_CHANNELS, 0), np.float32)
        self._position: float | None = None  # of the next sample in what is left; None: as it came

    def stretched(self, samples: _Samples, share: float) -> _Samples:
        """Return samples that last longer by this share."""
        if self._position is None and share == 0.0:
            self._rest = samples[:, -1:]
            return samples
        if self._position is None:
            self._position = float(self._rest.shape[1])
            if not self._position:  # the first sample of all has none before it
                self._rest, self._position = samples[:, :1], 1.0
        given = np.concatenate([self._rest, samples], axis=1)
        step = 1 / (1 + share)
        count = max(0, math.ceil((given.shape[1] - 2 - self._position) / step))
        positions = self._position + step * np.arange(count)
        result = _interpolated(given, positions)
        following = self._position + step * count
        kept_from = max(0, min(math.floor(following) - 1, given.shape[1]))
        self._rest, self._position = given[:, kept_from:], following - kept_from
        return result


def _interpolated(samples: _Samples, positions: npt.NDArray[np.float64]) -> _Samples:
    """Return the values at positions between the second and the second to last sample."""
    index = positions.astype(np.intp)
    t = (positions - index).astype(np.float32)
    before, here, after, later = (samples[:, index + offset] for offset in (-1, 0, 1, 2))
    slope, end_slope = (after - before) / 2, (later - here) / 2
    rise = after - here
    return np.asarray(
        here
        + t * (slope + t * (3 * rise - 2 * slope - end_slope + t * (slope + end_slope - 2 * rise))),
        np.float32,
    )
