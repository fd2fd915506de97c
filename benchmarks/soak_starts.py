"""Starts and stops sessions and programs many times, and measures what they leave behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from frame_judge import FrameJudge, JudgeResults
from live_peers import HERE, Program, Sample, sample

if TYPE_CHECKING:
    from collections.abc import Sequence


def many_sessions(clip: Path, count: int, folder: Path | None) -> list[Sample]:
    """Run that many sessions in another process; return what it uses after each."""
    script = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import soak_starts;"
        f"soak_starts.sessions({str(clip)!r}, {count}, {folder and str(folder)!r})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True
    )
    return [Sample(*json.loads(line)) for line in run.stdout.splitlines()]


def sessions(clip: str, count: int, folder: str | None) -> None:
    """Run that many sessions; print what this process uses after each."""
    import tracker_blur

    for _ in range(count):
        settings = tracker_blur.Settings(
            detect_every_frames="auto", models_folder=folder and Path(folder)
        )
        images = iter(tracker_blur.live(clip, settings, realtime=True))
        for _ in range(3):
            next(images)
        images.close()
        used = sample(os.getpid())
        print(json.dumps([used.memory_mib, used.threads, used.files, used.children]), flush=True)


def many_programs(
    clip: Path, judge: FrameJudge, folder: Path, count: int, options: Sequence[str]
) -> list[str]:
    """Start the program that many times and end it while it records; return what failed."""
    fault = folder / "no_fault"
    fault.write_text("")
    failures = []
    for number in range(count):
        path = folder / f"start_{number}.mkv"
        program = Program(
            [str(clip), "--realtime", "--to", str(path), "--method", "solid", *options], fault
        )
        waited = program.wait_for(lambda status: status["targets"][0]["shown"] > 5, 60)
        code = program.end()
        results = JudgeResults()
        judge.judge_file(path, results)
        if waited is None or code != 0 or results.raw or not results.counts.total():
            failures.append(f"start {number}: exit code {code}, {results}, {program.messages}")
        path.unlink(missing_ok=True)
    return failures
