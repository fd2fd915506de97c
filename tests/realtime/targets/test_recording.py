"""Recordings: whole, in step, in parts, after a crash, on a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.realtime.targets.deliveries import (
    BEGIN,
    FORMAT,
    SILENT,
    context,
    deliveries,
    send,
    sounds,
)
from tests.realtime.targets.received import check_pictures, check_step, read
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.targets import open_target
from tracker_blur.settings import Settings

SUFFIXES = ("mp4", "mov", "mkv", "webm")


def record(path: Path, **live: object) -> None:
    target = open_target(str(path), context(**live))
    target.open(FORMAT)
    send(target, deliveries(), sounds())
    target.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_is_whole_and_in_step(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    record(path)
    got = read(path)
    assert len(got.pictures) == 30
    assert got.intervals == pytest.approx([n / 25 for n in range(30)], abs=0.001)
    check_pictures(got)
    check_step(got)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_keeps_uneven_frame_times(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    times = [0.0, 0.033, 0.1, 0.35, 0.36, 1.2, 1.24]
    target = open_target(str(path), context())
    target.open(SILENT)
    for delivery, seconds in zip(deliveries(7), times, strict=True):
        target.show(Delivery(delivery.redacted, BEGIN + seconds, 0.0, False))
    target.close()
    assert read(path).intervals == pytest.approx(times, abs=0.001)


def test_leaves_out_a_picture_of_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    target = open_target(str(path), context())
    target.open(SILENT)
    for delivery in deliveries(3):
        target.show(delivery)
        target.show(delivery)
    target.close()
    assert len(read(path).pictures) == 3


def test_gaps_in_the_sound_are_silence(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    target = open_target(str(path), context())
    target.open(FORMAT)
    beeping = (sound for sound in sounds() if sound.seconds > BEGIN + 0.5)
    send(target, deliveries(), beeping)
    target.close()
    check_step(read(path))


def test_pictures_do_not_wait_for_sound_that_never_comes(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    target = open_target(str(path), context())
    target.open(FORMAT)
    for turn in range(5):
        send(target, deliveries(begin=BEGIN + turn * 1.2))
    size = path.stat().st_size
    target.close()
    assert size > 100_000
    assert len(read(path).pictures) == 150


def test_parts_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mp4"), context(segment_minutes=0.01))
    target.open(FORMAT)
    send(target, deliveries(), sounds(beep=0.7))
    target.close()
    parts = sorted(path.name for path in tmp_path.iterdir())
    assert parts == ["out-0001.mp4", "out-0002.mp4"]
    one, two = (read(tmp_path / part) for part in parts)
    assert (len(one.pictures), len(two.pictures)) == (15, 15)
    check_pictures(one)
    check_pictures(two, first=15)
    assert one.beep is None
    assert two.beep is not None
    assert abs(two.beep - two.times[0] - 0.1) < 0.04
    assert one.sound_seconds == pytest.approx(0.6, abs=0.05)


def test_sound_that_comes_late_reaches_the_part_before(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mkv"), context(segment_minutes=0.01))
    target.open(FORMAT)
    for delivery in deliveries():
        target.show(delivery)
    for sound in sounds(beep=0.4):
        target.play(sound)
    target.close()
    one, two = (read(path) for path in sorted(tmp_path.iterdir()))
    assert one.beep is not None
    assert abs(one.beep - one.times[0] - 0.4) < 0.04
    assert two.sound_seconds == pytest.approx(0.6, abs=0.05)


def test_parts_are_numbered_on(tmp_path: Path) -> None:
    old = tmp_path / "out-0007.mkv"
    old.write_text("precious")
    record(tmp_path / "out.mkv", segment_minutes=1)
    assert old.read_text() == "precious"
    assert len(read(tmp_path / "out-0008.mkv").pictures) == 30


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    path.write_text("precious")
    target = open_target(str(path), context())
    for _ in range(2):
        with pytest.raises(SinkError, match="exists already: choose another name, or --overwrite"):
            target.open(FORMAT)
        target.close()
    assert path.read_text() == "precious"


def test_an_existing_file_is_replaced_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    path.write_text("old")
    target = open_target(str(path), context(Settings(overwrite=True)))
    target.open(SILENT)
    send(target, deliveries(5))
    target.close()
    assert len(read(path).pictures) == 5


def test_a_file_to_be_replaced_stays_until_there_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    path.write_text("old")
    target = open_target(str(path), context(Settings(overwrite=True)))
    target.open(SILENT)
    target.close()
    assert path.read_text() == "old"


def test_another_file_follows_a_failure(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mkv"), context())
    for _ in range(3):
        target.open(SILENT)
        send(target, deliveries(5))
        target.close()
        target.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out-0002.mkv", "out-0003.mkv", "out.mkv"]
    assert all(len(read(tmp_path / name).pictures) == 5 for name in names)


def test_a_file_without_a_picture_is_removed(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "out.mkv"), context())
    target.open(FORMAT)
    for sound in sounds():
        target.play(sound)
    target.close()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "none" / "out.mkv"), context())
    with pytest.raises(SinkError, match=r"none/out\.mkv: cannot be made \(no such file"):
        target.open(FORMAT)
    (tmp_path / "none").mkdir()
    target.open(SILENT)
    send(target, deliveries(2))
    target.close()
    assert (tmp_path / "none" / "out.mkv").exists()


def test_an_unknown_suffix_is_told() -> None:
    with pytest.raises(SettingsError, match=r"out\.avi: recordings are written as \.mp4"):
        open_target("out.avi", context())


RECORDER = """
import sys
from tests.realtime.targets.deliveries import *
from tracker_blur.realtime.targets import open_target
target = open_target(sys.argv[1], context())
target.open(FORMAT)
turn = 0
while True:
    send(target, deliveries(begin=turn * 1.2), sounds(begin=turn * 1.2))
    print(turn, flush=True)
    turn += 1
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_plays_after_a_kill(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "4":  # 6 seconds are in
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    got = read(path, is_cut=True)
    assert len(got.pictures) >= 100
    assert got.intervals == pytest.approx([n / 25 for n in range(len(got.times))], abs=0.001)
    check_step(got)


LIMITED = """
import resource, sys
from tests.realtime.targets.deliveries import *
from tracker_blur.errors import SinkError
from tracker_blur.realtime.targets import open_target
target = open_target(sys.argv[1], context())
target.open(FORMAT)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
try:
    for turn in range(20):
        send(target, deliveries(begin=turn * 1.2), sounds(begin=turn * 1.2))
except SinkError as error:
    print(error)
target.close()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
target.open(FORMAT)
send(target, deliveries(), sounds())
target.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="file sizes are limited on Linux only")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_space_left_is_told_and_what_is_there_plays(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout == (f"{path}: no space left: free some, or choose another folder\n"), (
        done.stderr
    )
    assert "Traceback" not in done.stderr
    assert len(read(path).pictures) > 10
    again = read(path.with_name(f"out-0002.{suffix}"))
    assert len(again.pictures) == 30
    check_step(again)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes with names")
def test_a_pipe_is_no_recording(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.mkv")
    target = open_target(str(tmp_path / "out.mkv"), context(Settings(overwrite=True)))
    with pytest.raises(SinkError, match="is no file"):
        target.open(FORMAT)
    target.close()
