"""Audio stays with the frames while clocks drift, and is not heard to be resampled."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from tracker_blur.realtime import audio_sync
from tracker_blur.realtime.audio_sync import AudioSync
from tracker_blur.realtime.clock import FasterThanRealtime, SessionClock
from tracker_blur.realtime.delivery import AUDIO_RATE
from tracker_blur.realtime.settings import LiveTiming

HOUR = 3600.0
CHUNK_SECONDS, FRAME_SECONDS = 0.5, 1.0


@pytest.mark.parametrize(
    ("source_drift", "audio_drift"),
    [(-1e-3, -300e-6), (-100e-6, 1e-3), (0.0, 100e-6), (300e-6, 0.0), (100e-6, -300e-6)],
)
def test_audio_and_frames_stay_together_for_hours(
    source_drift: float, audio_drift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulate a source whose clock runs fast by a share, and its sound card's by another."""
    monkeypatch.setattr(audio_sync, "AUDIO_RATE", rate := 480)
    clock, sync = SessionClock(LiveTiming()), AudioSync(LiveTiming())
    jitter = random.Random(5)
    timestamp = 50.0  # of the source, as its own clock has it
    frames: list[tuple[float, float, float]] = []  # timestamp, session's time, arrival
    audio: list[tuple[float, float, float]] = []
    rest = 0.0
    while (now := (timestamp - 50) / (1 + source_drift)) < 3 * HOUR:
        arrival = now + jitter.uniform(0.0, 0.03)
        if round(timestamp / CHUNK_SECONDS) % 2:
            frames.append((timestamp, clock.frame_seconds(timestamp, arrival), now))
        rest += rate * CHUNK_SECONDS * (1 + audio_drift)
        count, rest = int(rest), rest % 1
        chunk = sync.placed(
            np.zeros((2, count), np.float32), clock.audio_seconds(timestamp, arrival)
        )
        assert chunk is not None
        audio.append((timestamp, chunk.seconds, chunk.samples.shape[1] / rate))
        timestamp += CHUNK_SECONDS
    assert max(abs(b[1] - a[1] - a[2]) for a, b in pairwise(audio)) < 1e-6  # no gap, no overlap
    apart = [
        played - shown
        for (_, shown, _), (_, played, _) in zip(frames[100:], audio[201::2], strict=False)
    ]
    assert max(map(abs, apart)) < 0.035
    steps = [after - before for (_, before, _), (_, after, _) in pairwise(frames[5:])]
    assert max(steps) - FRAME_SECONDS < 0.01
    assert FRAME_SECONDS - min(steps) < 0.031  # once, to the least delayed frame
    lateness = [now - shown for _, shown, now in frames]
    assert max(lateness) < 0.08


def test_a_way_that_is_longer_for_a_while_moves_no_time() -> None:
    clock, jitter = SessionClock(LiveTiming()), random.Random(7)
    for index in range(5000):  # 1000 seconds
        timestamp = index * 0.2
        way = 0.4 if 300 < timestamp < 700 else 0.0
        arrival = timestamp + jitter.uniform(0.0, 0.02) + way
        shown = clock.frame_seconds(timestamp, arrival)
        assert timestamp - 0.001 < shown < timestamp + 0.021


def tone(
    seconds: float, hertz: float = 1000.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    times = np.arange(round(seconds * AUDIO_RATE)) / AUDIO_RATE
    return np.tile(0.5 * np.sin(2 * np.pi * hertz * times), (2, 1)).astype(np.float32)


def test_audio_without_drift_is_left_as_it_is() -> None:
    sync, samples = AudioSync(LiveTiming()), tone(2.0)
    chunks = []
    for start in range(0, samples.shape[1], 1000):
        jitter = 0.004 * (-1) ** (start // 1000)
        chunk = sync.placed(samples[:, start : start + 1000], 3 + start / AUDIO_RATE + jitter)
        assert chunk is not None
        chunks.append(chunk)
    np.testing.assert_array_equal(np.concatenate([c.samples for c in chunks], axis=1), samples)


@pytest.mark.parametrize("drift", [-0.003, 0.003])
def test_stretched_audio_is_the_same_tone_without_clicks(drift: float) -> None:
    sync, samples = AudioSync(LiveTiming()), tone(30.0)
    parts = []
    for start in range(0, samples.shape[1], 960):
        chunk = sync.placed(samples[:, start : start + 960], start / AUDIO_RATE * (1 + drift))
        assert chunk is not None
        parts.append(chunk.samples)
    played = np.concatenate(parts, axis=1)
    assert played.shape[1] / samples.shape[1] - 1 == pytest.approx(drift, abs=0.0012)
    assert np.abs(np.diff(played[0])).max() < 0.5 * 2 * np.pi * 1000 / AUDIO_RATE * 1.01
    spectrum = np.abs(np.fft.rfft(played[0, -AUDIO_RATE:] * np.hanning(AUDIO_RATE)))
    peak = int(spectrum.argmax())
    assert peak == pytest.approx(1000 / (1 + drift), abs=2)
    around = np.delete(spectrum, np.arange(peak - 40, peak + 41))
    assert 20 * np.log10(around.max() / spectrum[peak]) < -60


def test_a_real_gap_stays_and_an_overlap_is_dropped() -> None:
    sync = AudioSync(LiveTiming())
    first, gap, again = (
        sync.placed(tone(0.5), 1.0),
        sync.placed(tone(0.5), 2.0),
        sync.placed(tone(0.5), 2.0),
    )
    assert first is not None
    assert gap is not None
    assert (first.seconds, gap.seconds) == (1.0, 2.0)
    assert again is None
    part = sync.placed(tone(0.5), 2.3)
    assert part is not None
    assert part.seconds == 2.5
    assert part.samples.shape[1] == pytest.approx(0.3 * AUDIO_RATE, abs=1)


def test_a_clock_that_is_a_little_fast_is_no_source_that_is_too_fast() -> None:
    speed = FasterThanRealtime(LiveTiming())
    assert not any(
        speed.is_first_early(second * 1.001, float(second)) for second in range(int(6 * HOUR))
    )
