"""Measures how much of each annotated face a live session exposes, by look-ahead (`--delay`).

    python benchmarks/live_leaks.py --face ../shared/models [--only street_crowd,montage_cuts]
        [--delays 0,0.17,0.5]

A clip is NAME.mp4 or NAME.mkv next to NAME.csv with the columns frame,track,x,y,w,h. It is encoded
again with the frames' numbers along the lower border, and played to `trackblur live` at its own
speed. The recording is judged by the numbers: a face is exposed if less than 85 % of the ellipse
in its true box is solid black. Dropped and blanked frames are not counted as shown; "blanked" are
the blank frames that left, with repeated ones. A frame that was repeated counts once.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import frame_numbers
from frame_judge import hidden_ratio, is_mosaic, lumas
from numbered_clips import NumberedFrame, encode
from scene import TrueFace

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN_RATIO = 0.85
HEAD = (
    "clip", "delay", "face-frames shown", "exposed", "longest run", "frames shown", "blanked",
    "not shown",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with numbered frames and true faces."""

    name: str
    rate: int
    frames: Sequence[NumberedFrame]


def load(video: Path) -> Clip:
    """Read a clip and draw the frames' numbers into them."""
    truth: dict[int, list[TrueFace]] = defaultdict(list)
    with video.with_suffix(".csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            box = (float(row[name]) for name in "xywh")
            truth[int(row["frame"])].append(TrueFace(int(row["track"]), *box))
    frames = []
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        for number, frame in enumerate(container.decode(stream)):
            planes = frame.reformat(format="yuv420p").to_ndarray()
            numbered = NumberedFrame(planes, tuple(truth[number]))
            frame_numbers.draw(numbered.luma, number)
            frames.append(numbered)
        rate = round(stream.average_rate or Fraction(25))
    return Clip(video.stem, rate, frames)


def run(clip: Clip, delay: float, options: Sequence[str], folder: Path) -> str:
    """Play a clip to the program and return a row of the table."""
    source, target = folder / f"{clip.name}.mkv", folder / "redacted.mkv"
    if not source.exists():
        encode(clip.frames, source, clip.rate)
    command = [
        sys.executable,
        "-m",
        "tracker_blur",
        "live",
        str(source),
        "--realtime",
        "--overwrite",
    ]
    command += ["--to", str(target), "--method", "solid", "--quality", "12", "--quiet"]
    subprocess.run([*command, "--delay", str(delay), *options], check=True)
    shown: dict[int, list[float]] = {}
    blank_count = 0
    for luma in lumas(target):
        number = frame_numbers.read(luma)
        if number is not None and number < len(clip.frames):
            ratios = [hidden_ratio(luma, face, 1.0) for face in clip.frames[number].faces]
            shown.setdefault(number, ratios)
        else:
            blank_count += is_mosaic(luma)
    count = sum(len(ratios) for ratios in shown.values())
    exposed = sum(ratio < HIDDEN_RATIO for ratios in shown.values() for ratio in ratios)
    cells = [clip.name, f"{delay:g} s", count, f"{exposed} ({exposed / max(1, count):.2%})"]
    cells += [_longest_run(clip, shown), len(shown), blank_count, len(clip.frames) - len(shown)]
    return f"| {' | '.join(map(str, cells))} |"


def _longest_run(clip: Clip, shown: dict[int, list[float]]) -> int:
    """Return the most consecutive shown frames in which one face is exposed."""
    runs: dict[int, int] = defaultdict(int)
    longest = 0
    for number in sorted(shown):
        for face, ratio in zip(clip.frames[number].faces, shown[number], strict=True):
            runs[face.track] = runs[face.track] + 1 if ratio < HIDDEN_RATIO else 0
            longest = max(longest, runs[face.track])
    return longest


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--clips", type=Path, default=shared / "videos", metavar="FOLDER")
    parser.add_argument("--only", default="street_crowd,montage_cuts,walkers_1080p")
    parser.add_argument("--delays", default="0,0.17,0.5", metavar="SECONDS,...")
    parser.add_argument("--face", type=Path, metavar="DIR", help="folder with weight files")
    arguments = parser.parse_args()
    options = ["--face", str(arguments.face)] if arguments.face else []
    print(f"| {' | '.join(HEAD)} |\n|---|{'---:|' * (len(HEAD) - 1)}")
    with tempfile.TemporaryDirectory(prefix="trackblur-live-") as scratch:
        for name in arguments.only.split(","):
            (truth,) = arguments.clips.glob(f"{name}.csv")
            suffix = ".mp4" if truth.with_suffix(".mp4").exists() else ".mkv"
            clip = load(truth.with_suffix(suffix))
            for delay in map(float, arguments.delays.split(",")):
                print(run(clip, delay, options, Path(scratch)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
