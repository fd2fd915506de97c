"""What encoders must not do: starve the machine, or write other bytes from one run to the next."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.video.rewriting import rewrite
from tests.video_files import write_clip
from tracker_blur import Settings, redact_video


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these scheduling classes")
def test_no_thread_keeps_realtime_priority_while_av1_is_written(tmp_path: Path) -> None:
    clip = tmp_path / "in.mp4"
    write_clip(clip)
    classes: set[int] = set()

    def collect(_: object) -> None:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                classes.add(os.sched_getscheduler(int(thread.name)))

    settings = Settings(detector="haar", codec="av1", preset="10")
    redact_video(clip, tmp_path / "out.mp4", settings, collect)
    assert classes == {os.SCHED_OTHER}


def test_the_same_frames_become_the_same_file_each_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=60, size=(192, 128), noise=True)
    written = set()
    for number in range(4):
        target = tmp_path / f"{number}.mp4"
        rewrite(clip, target)
        written.add(target.read_bytes())
    assert len(written) == 1


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_a_file_is_the_same_each_time_in_matroska_too(tmp_path: Path, suffix: str) -> None:
    """Its muxer gives files and tracks random ids."""
    clip = write_clip(tmp_path / "in.mp4", frames=3)
    targets = [tmp_path / f"{number}{suffix}" for number in range(2)]
    for target in targets:
        rewrite(clip, target)
    assert targets[0].read_bytes() == targets[1].read_bytes()
