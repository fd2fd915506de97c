"""Measures a folder of images: all cores against one process.

    python benchmarks/pictures.py [--count 100] [--megapixels 1] [--repeat 5] [--jobs N]

The images are JPEGs of people in front of a wall, made by samples/make.py, each different. One
command redacts them all, in turns with `--jobs 1` and with `--jobs N` (default: as many as there
are cores). Start-up is included. The outputs must be the same to the byte.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from compare import spread
from speed import ROOT, timed


def main() -> int:
    """Print pictures a second, and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--megapixels", type=float, default=1.0)
    parser.add_argument("--repeat", type=int, default=5, metavar="R")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--options", default="", help="more options for trackblur")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackblur-pictures-") as scratch:
        folder = Path(scratch, "in")
        folder.mkdir()
        _make(folder, arguments.count, arguments.megapixels)
        seconds: dict[int, list[float]] = {1: [], arguments.jobs: []}
        written: set[tuple[bytes, ...]] = set()
        for turn in range(arguments.repeat):
            for jobs in seconds if turn % 2 == 0 else reversed(seconds):
                out = Path(scratch, "out")
                command = [sys.executable, "-m", "tracker_blur", str(folder), "-o", str(out)]
                command += ["--overwrite", "--quiet", "--jobs", str(jobs)]
                run = timed(command + arguments.options.split())
                seconds[jobs].append(run.seconds)
                written.add(tuple(path.read_bytes() for path in sorted(out.iterdir())))
    if len(written) != 1:
        raise SystemExit("the outputs differ")
    for jobs, times in seconds.items():
        rate = arguments.count / statistics.median(times)
        print(f"--jobs {jobs}: {rate:.1f} pictures a second")
    median, low, high = spread(seconds[arguments.jobs], seconds[1])
    print(f"ratio: {median:.2f} ({low:.2f} to {high:.2f})")
    return 0


def _make(folder: Path, count: int, megapixels: float) -> None:
    """Write the frames of a clip as images."""
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4) / 2) * 2
    width = round(height * 4 / 3 / 2) * 2
    with tempfile.TemporaryDirectory() as scratch:
        clip = Path(scratch, "clip.mp4")
        seconds = str(count / 25)
        options = ["--faces", "3", "--size", f"{width}x{height}", "--seconds", seconds]
        subprocess.run(
            [sys.executable, str(ROOT / "samples" / "make.py"), *options, str(clip)], check=True
        )
        with av.open(str(clip)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number < count:
                    frame.to_image().save(folder / f"{number:04d}.jpg", quality=90)


if __name__ == "__main__":
    sys.exit(main())
