"""Capture: sources that fail and come back, and audio in order."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.realtime.scripted_source import ScriptedSource, captured_frame
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SourceError
from tracker_blur.realtime.capture import Capture
from tracker_blur.realtime.live_frame import LiveFrame
from tracker_blur.realtime.settings import LiveSettings, LiveTiming
from tracker_blur.realtime.sources import CapturedAudio, CapturedItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def capture_of(
    source: ScriptedSource,
    live: LiveSettings | None = None,
    warn: Callable[[str], None] = print,
    inform: Callable[[str], None] = print,
) -> Capture:
    return Capture(source, live or LiveSettings(), time.monotonic(), warn, inform)


def finished(capture: Capture, taken: list[LiveFrame] | None = None) -> Capture:
    """Run a capture to its end and return it; add the frames that were taken from it to a list."""
    capture.start()
    assert capture.wait_for_first(PATIENCE_SECONDS)
    while (frame := capture.frames.take(PATIENCE_SECONDS)) is not None:
        if taken is not None:
            taken.append(frame)
    return capture


def test_the_newest_frame_the_count_and_the_format_are_known() -> None:
    frames: list[CapturedItem | Exception] = [captured_frame(seconds) for seconds in (1, 2, 3)]
    capture = finished(capture_of(ScriptedSource(frames)))
    assert capture.frame_count == 3
    assert isinstance(capture.newest, LiveFrame)
    assert capture.has_ended
    assert not capture.is_connected
    assert capture.format.size == (64, 48)
    assert capture.format.rate == 25
    assert capture.format.audio_rate == 48000


def test_an_unexpected_error_at_the_start_is_one_line_without_secrets() -> None:
    class Failing(ScriptedSource):
        def open(self) -> None:
            raise RuntimeError("bad rtsp://ann:secret@host/in\n> driver\n")

    capture = finished(capture_of(Failing([])))
    with pytest.raises(SourceError) as failed:
        _ = capture.format
    assert str(failed.value) == "script: failed (RuntimeError: bad rtsp://host/in > driver)"


def test_a_source_without_a_frame_is_an_error() -> None:
    capture = finished(capture_of(ScriptedSource([])))
    with pytest.raises(SourceError, match="before the first complete frame"):
        _ = capture.format


def test_a_source_that_fails_before_its_first_frame_says_why() -> None:
    capture = finished(capture_of(ScriptedSource([SourceError("script: has no index")])))
    with pytest.raises(SourceError, match="has no index"):
        _ = capture.format


def test_a_finite_source_that_breaks_off_is_not_reconnected() -> None:
    warnings: list[str] = []
    source = ScriptedSource([captured_frame(1), SourceError("script: was interrupted")])
    capture = finished(capture_of(source, warn=warnings.append))
    assert capture.has_ended
    assert str(capture.failure) == capture.error == "script: was interrupted"
    assert capture.format.size == (64, 48)
    assert (source.opened, warnings) == (1, [])


def test_an_unexpected_failure_is_reported_without_secrets() -> None:
    source = ScriptedSource([captured_frame(1), RuntimeError("bad rtmp://host/app/a-key?p=word")])
    capture = finished(capture_of(source))
    assert capture.error == "script: failed (RuntimeError: bad rtmp://host/app/***?p=***)"


def test_a_source_that_cannot_be_opened_at_first_is_an_error() -> None:
    capture = finished(capture_of(ScriptedSource()))
    with pytest.raises(SourceError, match="is gone"):
        _ = capture.format


def test_a_source_that_stops_or_fails_is_reconnected_and_reported() -> None:
    warnings: list[str] = []
    messages: list[str] = []
    source = ScriptedSource(
        [captured_frame(1), SourceError("script: was interrupted")],
        [captured_frame(9), ValueError("odd")],
        [captured_frame(0)],
        is_finite=False,
    )
    before = set(threading.enumerate())
    live = LiveSettings(timing=LiveTiming(first_retry_seconds=0.01))
    capture = capture_of(source, live, warnings.append, messages.append)
    capture.start()
    until(lambda: source.opened >= 5)
    capture.stop(PATIENCE_SECONDS)
    assert capture.frame_count == 3
    assert capture.reconnects == 2
    assert "is gone" in capture.error
    assert source.closed >= source.opened
    assert [text.split(":")[1].strip().split(" (")[0] for text in warnings] == [
        "was interrupted",
        "failed",
        "stopped",
        "is gone",
    ]
    assert all(text.endswith(": reconnecting") for text in warnings)
    assert messages == ["script: reconnected"] * 2
    until(lambda: set(threading.enumerate()) <= before)


def test_more_frames_than_asked_for_are_skipped_and_counted() -> None:
    class SlowSource(ScriptedSource):
        def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
            for item in super().read(stopping):
                time.sleep(0.01)
                yield item

    frames = [captured_frame(index / 100) for index in range(50)]
    taken: list[LiveFrame] = []
    capture = finished(capture_of(SlowSource(list(frames)), LiveSettings(rate=10)), taken)
    assert capture.frame_count == 50
    offered = len(taken) + capture.frames.dropped_count
    assert 3 <= offered <= 25
    assert offered + capture.skipped_count == capture.frame_count
    assert capture.format.rate == 10


@pytest.mark.parametrize("is_finite", [True, False])
def test_a_source_that_may_be_a_file_is_reported_once_if_it_is_too_fast(is_finite: bool) -> None:
    warnings: list[str] = []
    frames: list[CapturedItem | Exception] = [captured_frame(index / 2) for index in range(1000)]
    capture = capture_of(ScriptedSource(frames, is_finite=is_finite), warn=warnings.append)
    capture.start()
    until(lambda: capture.frame_count == 1000)
    capture.stop(PATIENCE_SECONDS)
    assert sum("ffmpeg -re" in text for text in warnings) == is_finite


def captured_audio(timestamp: float, samples: int = 4800) -> CapturedAudio:
    return CapturedAudio(np.full((2, samples), timestamp, np.float32), timestamp)


def test_audio_continues_without_overlap_whatever_its_timestamps_say() -> None:
    timestamps = [0, 0.1, 0.21, 0.29, 0.2, 1.0, 50.0, 50.1]
    audio = [captured_audio(timestamp) for timestamp in timestamps]
    capture = finished(capture_of(ScriptedSource([captured_frame(0), *audio])))
    chunks = list(capture.audio)
    for before, after in pairwise(chunks):
        assert after.seconds >= before.seconds + before.samples.shape[1] / 48000 - 1e-9
    assert all(chunk.samples.shape[1] for chunk in chunks)
