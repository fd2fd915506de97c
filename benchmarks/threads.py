"""Measures the processor time of each thread of a run: on many cores, the busiest is the limit.

    python benchmarks/threads.py [--cases 720p:2,1080p:2] [--seconds 8]

The clips are made by samples/make.py and redacted to H.264 by libx264, as in speed.py. Processor
time hardly depends on what else the machine does. So the speed on N cores is estimated as the lower
of two bounds: what all threads need, spread over N cores; and what the busiest thread needs. The
encoder's own threads and those of OpenCV take any number of cores. Python's lock, which threads
hold in turn, is a third bound, which is not measured: decoding, detecting and encoding release it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from speed import case_list, clip_of

from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings

CORES = (1, 2, 4, 8, 16)
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.02
_LIBRARIES = "encoder, OpenCV, trackers"
_ROLES = {"see": "detect and track", "decode": "decode"}
"""What the named threads do; two of them decode, one for each reader."""


def main() -> int:
    """Print a table for each clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=case_list, default="720p:2,1080p:2")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="keep the clips here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackblur-threads-") as scratch:
        clips = arguments.clips or Path(scratch)
        clips.mkdir(parents=True, exist_ok=True)
        for case in arguments.cases:
            clip = clip_of(case, arguments.seconds, clips)
            frames, seconds, total = _measured(clip, Path(scratch, "out.mp4"))
            print(f"\n{case}, {frames} frames: ms of processor time a frame\n")
            for name, spent in sorted(seconds.items(), key=lambda item: -item[1]):
                print(f"    {name:<28} {1000 * spent / frames:6.1f}")
            print(f"    {'all':<28} {1000 * total / frames:6.1f}")
            single = {name: spent for name, spent in seconds.items() if name != _LIBRARIES}
            busiest = max(single, key=lambda name: single[name])
            for cores in CORES:
                spread, alone = total / cores, single[busiest]
                limit = busiest if alone > spread else "all cores are busy"
                print(f"    {cores:2} cores: {frames / max(spread, alone):6.1f} fps ({limit})")
    return 0


def _measured(clip: Path, target: Path) -> tuple[int, dict[str, float], float]:
    """Return the number of frames, the seconds of each thread by its name, and those of all."""
    settings = Settings(codec="h264", preset="veryfast", quality=20, overwrite=True)
    engine = Engine(settings)
    stopped = threading.Event()
    seconds: dict[int, float] = {}  # of Python's threads, by their numbers
    roles: dict[int, str] = {}

    def sample() -> None:
        while not stopped.wait(_SAMPLE_SECONDS):
            for thread in threading.enumerate():
                number = thread.native_id or 0
                with suppress(OSError):  # it has ended, or not begun
                    stat = Path(f"/proc/self/task/{number}/stat").read_text()
                    fields = stat.rpartition(")")[2].split()
                    seconds[number] = (int(fields[11]) + int(fields[12])) * _TICK_SECONDS
                    roles[number] = thread.name

    before, main_before = time.process_time(), time.thread_time()
    sampler = threading.Thread(target=sample, name="sampler")
    sampler.start()
    try:
        report = engine.redact_file(Job.of(clip, target))
    finally:
        stopped.set()
        sampler.join()
    total = time.process_time() - before
    by_role: dict[str, float] = defaultdict(float)
    for number, spent in seconds.items():
        role = _ROLES.get(roles[number])
        if role is not None:
            by_role[role] += spent
        elif roles[number] == sampler.name:
            total -= spent
    by_role["redact and write"] = time.thread_time() - main_before
    by_role[_LIBRARIES] = total - sum(by_role.values())
    return report.frames, by_role, total


if __name__ == "__main__":
    sys.exit(main())
