"""Clocks of transport and program streams that jump; true gaps and offsets stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.video.rewriting import packets, read_frames, rewrite, times
from tests.video.transport_streams import write_station
from tracker_blur.video.clock import demuxed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOUR = 3600.0


def seconds_of(path: Path) -> list[float]:
    return [frame.seconds for frame in read_frames(path)]


def audio_seconds(path: Path) -> list[float]:
    return [float(time) for time, _ in packets(path, "audio")]


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_a_jump_of_an_hour_is_no_pause(tmp_path: Path, suffix: str, name: str) -> None:
    source = write_station(
        tmp_path / f"in{suffix}", 3, clock=lambda moment: moment + HOUR * (moment >= 1.5)
    )
    assert float(np.diff([float(time) for time in times(source)]).max()) > HOUR - 1
    assert np.diff(seconds_of(source)).max() < 0.1
    target = rewrite(source, tmp_path / name)
    assert len(times(target)) == 75
    video = [float(time) for time in times(target)]
    audio = audio_seconds(target)
    assert video[-1] - video[0] == pytest.approx(2.96, abs=0.002)
    assert np.diff(audio).max() < 0.05
    assert audio[-1] - audio[0] == pytest.approx(3, abs=0.06)
    assert audio[0] - video[0] == pytest.approx(0, abs=0.05)


def test_several_jumps_keep_audio_in_step(tmp_path: Path) -> None:
    def clock(moment: float) -> float:
        return moment + sum(1000.0 for jump in (0.7, 1.3, 1.9, 2.5) if moment >= jump)

    source = write_station(tmp_path / "in.ts", 3, clock=clock)
    target = rewrite(source, tmp_path / "out.mp4")
    assert np.diff([float(time) for time in times(target)]).max() < 0.05
    assert np.diff(audio_seconds(target)).max() < 0.03


def test_a_clock_that_is_set_back_continues(tmp_path: Path) -> None:
    part = write_station(tmp_path / "a.mpg", 4).read_bytes()
    source = tmp_path / "twice.mpg"
    source.write_bytes(part + part)
    seconds = seconds_of(source)
    assert len(seconds) == 200
    assert np.diff(seconds).min() > 0
    assert np.diff(seconds).max() < 0.1
    target = rewrite(source, tmp_path / "out.mkv")
    audio = np.array(audio_seconds(target))
    assert np.diff(audio).max() < 0.1
    assert audio[-1] == pytest.approx(float(times(target)[-1]), abs=0.1)


@pytest.mark.parametrize(
    "clock",
    [lambda moment: moment + 4 * (moment >= 1.5), lambda moment: moment + 90_000],
    ids=["gap", "offset"],
)
def test_a_true_gap_and_a_late_start_stay(tmp_path: Path, clock: Callable[[float], float]) -> None:
    source = write_station(tmp_path / "in.ts", 3, clock=clock)
    steps = np.diff(seconds_of(source))
    assert steps.max() == pytest.approx(np.diff([float(time) for time in times(source)]).max())


def test_audio_that_begins_late_does_not_move_the_clock(tmp_path: Path) -> None:
    source = write_station(tmp_path / "in.ts", 14, audio_start=12)
    with av.open(str(source)) as container:
        stated = [packet.pts for packet in container.demux() if packet.size]
    with av.open(str(source)) as container:
        corrected = [packet.pts for packet in demuxed(source, container, 0) if packet.size]
    assert corrected == stated


def test_other_formats_keep_their_times(tmp_path: Path) -> None:
    source = write_station(
        tmp_path / "in.mkv", 3, clock=lambda moment: moment + HOUR * (moment >= 1.5)
    )
    with av.open(str(source)) as container:
        assert container.duration is not None
        assert container.duration > HOUR * av.time_base
    assert np.diff(seconds_of(source)).max() > HOUR - 1
