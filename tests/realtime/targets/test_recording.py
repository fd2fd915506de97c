"""Recordings: complete and in sync, in one file or several, after a crash, on a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.realtime.targets.decoding import check_images, check_sync, decode
from tests.realtime.targets.deliveries import (
    BEGIN,
    FORMAT,
    SILENT,
    make_audio,
    make_context,
    make_deliveries,
    send,
)
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.targets import open_target
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = ("mp4", "mov", "mkv", "webm")


def record(path: Path, **live: Any) -> None:
    """Record the sample."""
    target = open_target(str(path), make_context(**live))
    target.open(FORMAT)
    send(target, make_deliveries(), make_audio())
    target.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_recording_is_complete_and_in_sync(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    record(path)
    decoded = decode(path)
    assert len(decoded.images) == 30
    assert decoded.intervals == pytest.approx([n / 25 for n in range(30)], abs=0.001)
    check_images(decoded)
    check_sync(decoded)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_variable_frame_times_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    times = [0.0, 0.033, 0.1, 0.35, 0.36, 1.2, 1.24]
    target = open_target(str(path), make_context())
    target.open(SILENT)
    for delivery, seconds in zip(make_deliveries(7), times, strict=True):
        target.show(Delivery(delivery.redacted, BEGIN + seconds, 0.0, False))
    target.close()
    assert decode(path).intervals == pytest.approx(times, abs=0.001)


def test_second_frame_of_the_same_time_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    target = open_target(str(path), make_context())
    target.open(SILENT)
    for delivery in make_deliveries(3):
        target.show(delivery)
        target.show(delivery)
    target.close()
    assert len(decode(path).images) == 3


def test_gaps_in_the_audio_become_silence(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    target = open_target(str(path), make_context())
    target.open(FORMAT)
    beep = (chunk for chunk in make_audio() if chunk.seconds > BEGIN + 0.5)
    send(target, make_deliveries(), beep)
    target.close()
    check_sync(decode(path))


@pytest.mark.slow
def test_video_does_not_wait_for_missing_audio(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    target = open_target(str(path), make_context())
    target.open(FORMAT)
    for turn in range(5):
        send(target, make_deliveries(begin=BEGIN + turn * 1.2))
    size = path.stat().st_size
    target.close()
    assert size > 100_000
    assert len(decode(path).images) == 150


def test_segments_follow_without_a_gap(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mp4"), make_context(segment_minutes=0.01))
    target.open(FORMAT)
    send(target, make_deliveries(), make_audio(beep=0.7))
    target.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out-0001.mp4", "out-0002.mp4"]
    one, two = (decode(tmp_path / name) for name in names)
    assert (len(one.images), len(two.images)) == (15, 15)
    check_images(one)
    check_images(two, first=15)
    assert one.beep is None
    assert two.beep is not None
    assert abs(two.beep - two.times[0] - 0.1) < 0.04
    assert one.audio_seconds == pytest.approx(0.6, abs=0.05)


def test_late_audio_goes_to_the_segment_before(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mkv"), make_context(segment_minutes=0.01))
    target.open(FORMAT)
    for delivery in make_deliveries():
        target.show(delivery)
    for chunk in make_audio(beep=0.4):
        target.play(chunk)
    target.close()
    one, two = (decode(path) for path in sorted(tmp_path.iterdir()))
    assert one.beep is not None
    assert abs(one.beep - one.times[0] - 0.4) < 0.04
    assert two.audio_seconds == pytest.approx(0.6, abs=0.05)


def test_segment_numbers_continue(tmp_path: Path) -> None:
    old = tmp_path / "out-0007.mkv"
    old.write_text("precious")
    record(tmp_path / "out.mkv", segment_minutes=1)
    assert old.read_text() == "precious"
    assert len(decode(tmp_path / "out-0008.mkv").images) == 30


def test_existing_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    path.write_text("precious")
    target = open_target(str(path), make_context())
    for _ in range(2):
        with pytest.raises(
            SinkError, match="already exists: choose another name or use `overwrite`"
        ):
            target.open(FORMAT)
        target.close()
    assert path.read_text() == "precious"


def test_existing_file_is_replaced_with_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    path.write_text("old")
    target = open_target(str(path), make_context(Settings(overwrite=True)))
    target.open(SILENT)
    send(target, make_deliveries(5))
    target.close()
    assert len(decode(path).images) == 5


def test_file_to_be_replaced_stays_until_the_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    path.write_text("old")
    target = open_target(str(path), make_context(Settings(overwrite=True)))
    target.open(SILENT)
    target.close()
    assert path.read_text() == "old"


def test_recording_continues_in_another_file_after_a_failure(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mkv"), make_context())
    for _ in range(3):
        target.open(SILENT)
        send(target, make_deliveries(5))
        target.close()
        target.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out-0002.mkv", "out-0003.mkv", "out.mkv"]
    assert all(len(decode(tmp_path / name).images) == 5 for name in names)


def test_file_without_a_frame_is_deleted(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mkv"), make_context())
    target.open(FORMAT)
    for chunk in make_audio():
        target.play(chunk)
    target.close()
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "none" / "out.mkv"), make_context())
    with pytest.raises(SinkError, match=r"none/out\.mkv: the folder .*none does not exist"):
        target.open(FORMAT)
    (tmp_path / "none").mkdir()
    target.open(SILENT)
    send(target, make_deliveries(2))
    target.close()
    assert (tmp_path / "none" / "out.mkv").exists()


def test_unsupported_suffix_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"out\.avi: recordings are written as \.mp4"):
        open_target("out.avi", make_context())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_named_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.mkv")
    target = open_target(str(tmp_path / "out.mkv"), make_context(Settings(overwrite=True)))
    with pytest.raises(SinkError, match="is not a regular file"):
        target.open(FORMAT)
    target.close()


RECORDER = """
import sys
from tests.realtime.targets.deliveries import *
from tracker_blur.realtime.targets import open_target
target = open_target(sys.argv[1], make_context())
target.open(FORMAT)
turn = 0
while True:
    send(target, make_deliveries(begin=turn * 1.2), make_audio(begin=turn * 1.2))
    print(turn, flush=True)
    turn += 1
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_recording_plays_after_a_kill(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "4":  # until 6 seconds are recorded
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    decoded = decode(path, is_truncated=True)
    assert len(decoded.images) >= 100
    expected = [n / 25 for n in range(len(decoded.times))]
    assert decoded.intervals == pytest.approx(expected, abs=0.001)
    check_sync(decoded)


LIMITED_RECORDER = """
import resource, sys
from tests.realtime.targets.deliveries import *
from tracker_blur.errors import SinkError
from tracker_blur.realtime.targets import open_target
target = open_target(sys.argv[1], make_context())
target.open(FORMAT)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
try:
    for turn in range(20):
        send(target, make_deliveries(begin=turn * 1.2), make_audio(begin=turn * 1.2))
except SinkError as error:
    print(error)
target.close()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
target.open(FORMAT)
send(target, make_deliveries(), make_audio())
target.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="file sizes are limited on Linux only")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_full_disk_is_reported_and_the_recording_plays(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED_RECORDER, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    message = f"{path}: no space left: free some, or choose another folder\n"
    assert done.stdout == message, done.stderr
    assert "Traceback" not in done.stderr
    assert len(decode(path).images) > 10
    second = decode(path.with_name(f"out-0002.{suffix}"))
    assert len(second.images) == 30
    check_sync(second)
