"""Files played like a live stream: at their own speed, and to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.realtime.judging import Judge, run_session
from tests.realtime.sources.ffmpeg_sender import remuxed, transport_stream
from tests.realtime.sources.reading import read_into, visible_faces
from tests.waiting import PATIENCE_SECONDS
from tracker_blur.errors import SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedItem, open_source

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.shared, pytest.mark.slow]

PATIENT = LiveSettings(watchdog_seconds=60, timeout_seconds=PATIENCE_SECONDS / 2)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_truncated_file_plays_and_is_reported(clip: Path, tmp_path: Path, suffix: str) -> None:
    whole = remuxed(clip, tmp_path / f"whole{suffix}", "-movflags", "+faststart")
    cut = tmp_path / f"cut{suffix}"
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    items: list[CapturedItem] = []
    with pytest.raises(SourceError, match=rf"cut{suffix}: is truncated \(\d+ bytes are missing\)"):
        read_into(items, open_source(str(cut), LiveSettings(), realtime=True))
    assert 10 < len(items) < 50


def test_whole_file_plays_to_its_end(clip: Path) -> None:
    items: list[CapturedItem] = []
    read_into(items, open_source(str(clip), LiveSettings(), realtime=True))
    assert len(items) == 56


def test_size_change_and_clock_jump_do_not_change_the_output(
    shared: Path, clip: Path, tmp_path: Path
) -> None:
    first = transport_stream(clip, tmp_path / "a.ts")
    second = transport_stream(
        clip, tmp_path / "b.ts", "-vf", "scale=640:480", "-output_ts_offset", "5000"
    )
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    judge = Judge()
    status = run_session(both, shared, judge, PATIENT)
    assert status.frames_in >= 40
    sizes = {delivery.redacted.frame.size for delivery in judge.deliveries}
    assert sizes == {(480, 270)}
    times = [delivery.seconds for delivery in judge.deliveries]
    assert times == sorted(set(times))
    assert times[-1] < 1000
    assert judge.redacted_count > 10
    assert visible_faces(judge, shared) == []


def test_damaged_packets_are_skipped(shared: Path, clip: Path, tmp_path: Path) -> None:
    stream = transport_stream(clip, tmp_path / "a.ts")
    data = bytearray(stream.read_bytes())
    random = np.random.default_rng(4)
    for start in random.integers(len(data) // 4, len(data), 40):
        data[start : start + 30] = random.bytes(len(data[start : start + 30]))
    stream.write_bytes(bytes(data))
    judge = Judge()
    status = run_session(stream, shared, judge, PATIENT)
    assert status.frames_in > 5
    assert judge.redacted_count > 5
    assert visible_faces(judge, shared) == []
