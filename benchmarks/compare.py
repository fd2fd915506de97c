"""Compares the speed and memory of two checkouts, so that a gain or a regression can be shown.

    python benchmarks/compare.py CHECKOUT_A CHECKOUT_B [--cases 720p:2,1080p:10] [--repeat 5]

Both redact the same clips, made by samples/make.py, with H.264 by libx264. They run in turns, each
as a process of its own, and the one that begins changes from turn to turn: a slow minute of the
machine affects both. Each turn gives a ratio.

seconds     from start to exit, start-up included; medians
B / A       the median of the turns' ratios, and the lowest and the highest: below 1, B is faster
MiB         peak memory (`ru_maxrss`); medians
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from speed import RATE, Run, case_list, clip_of, timed

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkouts", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--cases", type=case_list, default="720p:2", metavar="RESOLUTION:FACES,...")
    parser.add_argument("--repeat", type=int, default=5, metavar="R")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="keep the clips here")
    parser.add_argument(
        "--options", default="", help="more options for trackblur, such as '--detect-every 5'"
    )
    arguments = parser.parse_args()
    checkouts = [_checked(checkout) for checkout in arguments.checkouts]
    print(f"A: {checkouts[0]}\nB: {checkouts[1]}\n{arguments.repeat} turns\n")
    print("| clip | A seconds | B seconds | B / A | A MiB | B MiB |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="trackblur-compare-") as scratch:
        clips = arguments.clips or Path(scratch)
        clips.mkdir(parents=True, exist_ok=True)
        for case in arguments.cases:
            clip = clip_of(case, arguments.seconds, clips)
            target = Path(scratch) / "out.mp4"
            options = arguments.options.split()
            runs = _in_turns(checkouts, clip, target, options, arguments.repeat)
            frames = round(arguments.seconds * RATE)
            print(_row(f"{case}, {frames} frames", *runs), flush=True)
    return 0


def _checked(checkout: Path) -> Path:
    """Return the whole path of a checkout, after checking that its own package is imported."""
    checkout = checkout.resolve()
    ended = subprocess.run(
        [sys.executable, "-c", "import tracker_blur; print(tracker_blur.__file__)"],
        env=_environment(checkout),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if ended.returncode or not Path(ended.stdout.strip()).is_relative_to(checkout):
        raise SystemExit(f"{checkout}: is no checkout of trackblur")
    return checkout


def _environment(checkout: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(checkout)}


def _in_turns(
    checkouts: Sequence[Path], clip: Path, target: Path, options: Sequence[str], repeat: int
) -> tuple[list[Run], list[Run]]:
    """Return the runs of each checkout, turn by turn."""
    runs: tuple[list[Run], list[Run]] = ([], [])
    command = [
        *(sys.executable, "-m", "tracker_blur", str(clip), "-o", str(target), "--overwrite"),
        *("--codec", "h264", "--preset", "veryfast", "--quality", "20", "--quiet", *options),
    ]
    for turn in range(repeat):
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            runs[which].append(timed(command, _environment(checkouts[which])))
    return runs


def spread(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, the lowest and the highest ratio of the turns."""
    ratios = [new / old for old, new in zip(before, after, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def _row(name: str, before: Sequence[Run], after: Sequence[Run]) -> str:
    median, low, high = spread([run.seconds for run in before], [run.seconds for run in after])
    cells = [
        name,
        *(f"{statistics.median(run.seconds for run in runs):.2f}" for runs in (before, after)),
        f"{median:.2f} ({low:.2f} to {high:.2f})",
        *(f"{statistics.median(run.peak_mib for run in runs):.0f}" for runs in (before, after)),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
