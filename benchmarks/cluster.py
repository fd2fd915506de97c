"""What redacting a video in pieces costs and gains, and what many machines would do.

    python benchmarks/cluster.py [VIDEO] [--minutes 2] [--repeat 3]

Without a video, the sample is repeated. Runs are taken in turns: undivided, and in pieces by two
processes; for each, wall-clock seconds and the processor time of all its processes. Then a
simulation from what was measured: a million hours on 10 and on 1,000 machines. Its assumptions are
printed with it.
"""

from __future__ import annotations

import argparse
import heapq
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "crossing.mp4"
WAYS = {"undivided": (), "pieces, 2 processes": ("--jobs", "2")}
FILE_HOURS = 1.0
STORE_MB_PER_SECOND = 100.0
STORE_TOTAL_MB_PER_SECOND = 12_500.0  # 100 Gbit/s
DRIVER_MB_PER_SECOND = 1_250.0  # 10 Gbit/s
DRIVER_PASSES = 5  # hash, index and audio of the input; the pieces; the output
CORES = 16
LOST_PER_HOUR = 0.002


@dataclass(frozen=True)
class Cost:
    """What one run took.

    Attributes:
        wall: Seconds.
        cpu: Seconds of processor time, of all its processes.
    """

    wall: float
    cpu: float


def main() -> None:
    """Measure, simulate, and print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = options.video or _repeated(Path(folder) / "in.mp4", options.minutes)
        seconds, megabytes = _seconds(video), video.stat().st_size / 1e6
        costs: dict[str, list[Cost]] = {name: [] for name in WAYS}
        for _ in range(options.repeat):
            for name, arguments in WAYS.items():
                costs[name].append(_run(video, Path(folder) / "out.mp4", arguments))
                print(f"{name}: {costs[name][-1]}", file=sys.stderr, flush=True)
    print(f"{seconds:.0f} seconds of video, {os.cpu_count()} cores, medians of {options.repeat}\n")
    print("| | wall | processor time | of undivided | cores busy |")
    print("|---|---:|---:|---:|---:|")
    whole = statistics.median(cost.cpu for cost in costs["undivided"])
    for name, taken in costs.items():
        wall = statistics.median(cost.wall for cost in taken)
        cpu = statistics.median(cost.cpu for cost in taken)
        busy = cpu / wall
        print(f"| {name} | {wall:.1f} s | {cpu:.1f} s | {cpu / whole:.2f} | {busy:.2f} |")
    pieces = statistics.median(cost.cpu for cost in costs["pieces, 2 processes"])
    _print_simulation(pieces / seconds, megabytes / seconds)


def _repeated(target: Path, minutes: float) -> Path:
    """Write the sample again and again, with a key frame every two seconds."""
    with av.open(str(target), "w") as writer:
        with av.open(str(SAMPLE)) as reader:
            source = reader.streams.video[0]
            rate = Fraction(source.average_rate or 25)
            frames = [frame.reformat(format="yuv420p") for frame in reader.decode(source)]
            stream = writer.add_stream("libx264", rate, options={"preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
            stream.codec_context.gop_size = round(2 * rate)
        for count in range(round(minutes * 60 * rate)):
            frame = frames[count % len(frames)]
            frame.pts, frame.time_base, frame.pict_type = count, 1 / rate, 0
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    return target


def _seconds(video: Path) -> float:
    with av.open(str(video)) as container:
        return (container.duration or 0) / av.time_base


def _run(video: Path, target: Path, arguments: tuple[str, ...]) -> Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [sys.executable, "-m", "tracker_blur", str(video), str(target), "--overwrite"]
    subprocess.run([*command, "--quiet", *arguments], check=True, cwd=ROOT)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu)


def simulated_hours(
    machines: int, hours: float, cpu_share: float, megabytes_per_second: float
) -> float:
    """Return how long it takes machines to redact so many hours, in hours.

    Files are started in turns, each by the machine that is free first; within a machine all cores
    are busy. A machine that is lost has its file begun again, half done on average.

    Args:
        machines: How many.
        hours: Of video, in files of `FILE_HOURS`.
        cpu_share: Processor seconds for a second of video.
        megabytes_per_second: Of the video; as much is written again.
    """
    read = megabytes_per_second * 3600 * 2
    share = min(STORE_MB_PER_SECOND, STORE_TOTAL_MB_PER_SECOND / machines)
    each = max(cpu_share / CORES, read / 3600 / share) * FILE_HOURS
    each *= 1 + LOST_PER_HOUR * each / 2
    free = [0.0] * machines
    heapq.heapify(free)
    batches = 1 if hours <= 100_000 else round(hours / 100_000)  # of files that one takes at once
    for _ in range(round(hours / FILE_HOURS / batches)):
        heapq.heapreplace(free, free[0] + each * batches)
    return max(free)


def _print_simulation(cpu_share: float, megabytes_per_second: float) -> None:
    print(
        f"\nA simulation: a million hours in files of {FILE_HOURS:g} hour, "
        f"{cpu_share:.2f} processor seconds and {megabytes_per_second:.2f} MB for each second, as "
        f"measured above; {CORES} cores a machine, all busy; a store that reads or writes "
        f"{STORE_MB_PER_SECOND:g} MB/s for each machine and {STORE_TOTAL_MB_PER_SECOND:g} for all; "
        f"a machine is lost every {1 / LOST_PER_HOUR:g} hours. Each command's own machine moves "
        f"the size of each file {DRIVER_PASSES} times, at {DRIVER_MB_PER_SECOND:g} MB/s: at least "
        "so many commands are needed, each for a part of the files.\n"
    )
    print("| machines | days | seconds of video a second | commands |")
    print("|---:|---:|---:|---:|")
    for machines in (10, 1_000):
        taken = simulated_hours(machines, 1e6, cpu_share, megabytes_per_second)
        moved = 1e6 / taken * megabytes_per_second * DRIVER_PASSES
        commands = math.ceil(moved / DRIVER_MB_PER_SECOND)
        print(f"| {machines} | {taken / 24:.1f} | {1e6 / taken:.0f} | {commands} |")


if __name__ == "__main__":
    main()
