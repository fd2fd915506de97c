"""Compares the speed and memory of trackblur, deface 1.5.0 and a bare transcode.

    python benchmarks/speed.py [--cases 720p:2,1080p:10] [--repeat 3] [--deface-env FOLDER]

All three read the same clips, made by samples/make.py: people walking in front of a wall, with
sensor noise. They write H.264 by libx264 with the same preset and CRF, and keep the audio. Each
runs as a process of its own, in turns, so that a slow minute of the machine affects all.

    end to end   frames of the clip over the seconds from start to exit, start-up included
    net          the same for what a whole clip has more than a short cut of it, which leaves the
                 start-up out; for deface, which would take minutes, between two short cuts

`ours / deface` compares our end-to-end figure with its net one, to its advantage; `ours / bare`
compares end to end with end to end. Memory is that of the largest process (`ru_maxrss`); deface's
does not include the ffmpeg processes it starts. Each figure is the median of the repetitions.

deface brings another OpenCV, so the first run makes a virtual environment for it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
RATE = 25
SIZES = {"360p": "640x360", "720p": "1280x720", "1080p": "1920x1080", "2160p": "3840x2160"}
SHORT_FRAMES = 5
DEFACE_FRAMES = 30
DEFACE_PACKAGES = ("deface==1.5.0", "onnxruntime<1.29")  # as in setup.cfg: it sends nothing


class Case(NamedTuple):
    """A clip to make: its resolution, such as "720p", and its number of faces."""

    resolution: str
    faces: int

    def __str__(self) -> str:
        return f"{self.resolution}, {self.faces} face{'s' if self.faces != 1 else ''}"


class Run(NamedTuple):
    """One finished process."""

    seconds: float
    peak_mib: float
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Tool:
    """A program to measure: its command line, and the lengths of the clips it gets, in frames."""

    name: str
    command: Callable[[Path, Path], list[str]]
    short_frames: int
    long_frames: int


@dataclass(frozen=True)
class Result:
    """Medians over the repetitions of one tool on one clip."""

    end_to_end_fps: float
    net_fps: float
    peak_mib: float


def main() -> int:
    """Run the cases and print a table."""
    arguments = _parser().parse_args()
    print(
        f"{os.cpu_count()} cores; {arguments.seconds:g} s at {RATE} frames a second; "
        f"libx264 {arguments.preset}, CRF {arguments.crf}; median of {arguments.repeat}\n"
    )
    tools = _tools(arguments)
    with tempfile.TemporaryDirectory(prefix="trackblur-speed-") as scratch:
        clips = arguments.clips or Path(scratch)
        clips.mkdir(parents=True, exist_ok=True)
        print(*_header(arguments.skip_deface), sep="\n", flush=True)
        for case in arguments.cases:
            clips_by_frames = _clips_by_frames(case, arguments.seconds, clips, tools)
            results = _measure(case, clips_by_frames, tools, arguments.repeat, Path(scratch))
            print(_row(case, results), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    all_cases = "720p:1,720p:2,720p:10,1080p:1,1080p:2,1080p:10"
    parser.add_argument(
        "--cases", type=case_list, default=all_cases, metavar="RESOLUTION:FACES,..."
    )
    parser.add_argument("--repeat", type=int, default=3, metavar="R")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips")
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--crf", type=int, default=20)
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="keep the clips here")
    parser.add_argument("--skip-deface", action="store_true")
    parser.add_argument(
        "--deface-env", type=Path, default=ROOT / "build" / "deface", metavar="FOLDER",
        help="virtual environment of deface, made if missing",
    )  # fmt: skip
    parser.add_argument(
        "--options", default="", help="more options for trackblur, such as '--detect-every 5'"
    )
    return parser


def case_list(text: str) -> list[Case]:
    """Read cases such as "720p:2,1080p:10"."""
    cases = []
    for word in text.split(","):
        resolution, _, faces = word.partition(":")
        if resolution not in SIZES or not faces.isdigit():
            raise argparse.ArgumentTypeError(f"'{word}': give RESOLUTION:FACES, such as 720p:2")
        cases.append(Case(resolution, int(faces)))
    return cases


def _tools(arguments: argparse.Namespace) -> list[Tool]:
    crf, frames = str(arguments.crf), round(arguments.seconds * RATE)
    preset = arguments.preset
    ours = ["--codec", "h264", "--preset", preset, "--quality", crf, "--overwrite", "--quiet"]
    ours += arguments.options.split()
    transcode = str(ROOT / "benchmarks" / "transcode.py")
    tools = [
        Tool(
            "trackblur",
            lambda source, target: [
                sys.executable, "-m", "tracker_blur", str(source), str(target), *ours
            ],
            SHORT_FRAMES,
            frames,
        ),
        Tool(
            "bare",
            lambda source, target: [
                sys.executable, transcode, str(source), str(target), "--preset", preset,
                "--crf", crf,
            ],
            SHORT_FRAMES,
            frames,
        ),
    ]  # fmt: skip
    if not arguments.skip_deface:
        deface = str(deface_command(arguments.deface_env))
        encoder = json.dumps({
            "codec": "libx264",
            "quality": None,  # its own default would come on top of our CRF
            "macro_block_size": 2,  # keep 1080 lines
            "output_params": ["-preset", preset, "-crf", crf],
        })  # fmt: skip
        tools.append(Tool(
            "deface",
            lambda source, target: [
                deface, str(source), "--output", str(target), "--keep-audio",
                "--ffmpeg-config", encoder,
            ],
            SHORT_FRAMES,
            SHORT_FRAMES + DEFACE_FRAMES,
        ))  # fmt: skip
    return tools


def deface_command(folder: Path) -> Path:
    """Return the command in its virtual environment, made if missing."""
    command = folder / "bin" / "deface"
    if not command.exists():
        _log(f"installing {' '.join(DEFACE_PACKAGES)} into {folder}")
        venv.create(folder, with_pip=True)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *DEFACE_PACKAGES], check=True)
    return command


def clip_of(case: Case, seconds: float, folder: Path) -> Path:
    """Return the clip of a case, made if missing."""
    clip = folder / f"{case.resolution}_{case.faces}_{seconds:g}s.mp4"
    if not clip.exists():
        _log(f"making a clip: {case}")
        options = ["--faces", str(case.faces), "--size", SIZES[case.resolution]]
        options += ["--seconds", str(seconds)]
        run_script(ROOT / "samples" / "make.py", *options, target=clip)
    return clip


def _clips_by_frames(
    case: Case, seconds: float, folder: Path, tools: list[Tool]
) -> dict[int, Path]:
    """Return the clip and its short cuts by number of frames, made if missing."""
    whole = clip_of(case, seconds, folder)
    cuts = {round(seconds * RATE): whole}
    for frames in {count for tool in tools for count in (tool.short_frames, tool.long_frames)}:
        if frames not in cuts:
            cuts[frames] = whole.with_name(f"{whole.stem}_{frames}f.mp4")
            if not cuts[frames].exists():
                options = [str(whole), "--crf", "18", "--frames", str(frames)]
                run_script(ROOT / "benchmarks" / "transcode.py", *options, target=cuts[frames])
    return cuts


def run_script(script: Path, *arguments: str, target: Path) -> None:
    """Run a script of ours that writes `target`; an interrupted one leaves no such file."""
    with tempfile.TemporaryDirectory(dir=target.parent) as unfinished:
        made = Path(unfinished, target.name)
        subprocess.run([sys.executable, str(script), *arguments, str(made)], check=True)
        for file in sorted(made.parent.iterdir()):  # also the ground truth next to the clip
            file.rename(target.with_name(file.name))


def _measure(
    case: Case, clips: dict[int, Path], tools: list[Tool], repeat: int, scratch: Path
) -> dict[str, Result]:
    runs: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for turn in range(repeat):
        for tool in tools:
            for frames in (tool.short_frames, tool.long_frames):
                target = scratch / f"{tool.name}.mp4"
                run = timed(tool.command(clips[frames], target))
                _log(f"{case}, turn {turn + 1}: {tool.name}, {frames} frames: {run.seconds:.2f} s")
                if not target.is_file() or target.stat().st_size == 0:
                    raise SystemExit(f"{tool.name} wrote no output for {clips[frames]}")
                target.unlink()
                runs[tool.name, frames].append(run)
    results = {}
    for tool in tools:
        short, long = runs[tool.name, tool.short_frames], runs[tool.name, tool.long_frames]
        seconds = statistics.median(run.seconds for run in long)
        between = seconds - statistics.median(run.seconds for run in short)
        results[tool.name] = Result(
            end_to_end_fps=tool.long_frames / seconds,
            net_fps=(tool.long_frames - tool.short_frames) / max(between, 1e-9),
            peak_mib=statistics.median(run.peak_mib for run in long),
        )
    return results


def timed(command: list[str], environment: dict[str, str] | None = None) -> Run:
    """Run a program to its end; if it fails, print what it printed and exit."""
    environment = dict(os.environ if environment is None else environment)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the first run compiles the modules
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            text = output.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(command)}\nfailed ({process.returncode}):\n{text}")
    kibibytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Run(seconds, kibibytes / 1024, usage.ru_utime + usage.ru_stime)


def _header(skip_deface: bool) -> Iterator[str]:
    columns = ["clip", "ours", "ours net", "bare", "ours / bare", "our MiB", "bare MiB"]
    if not skip_deface:
        columns += ["deface net", "ours / deface", "deface MiB"]
    yield f"| {' | '.join(columns)} |"
    yield f"|---|{'---:|' * (len(columns) - 1)}"


def _row(case: Case, results: dict[str, Result]) -> str:
    ours, bare, deface = results["trackblur"], results["bare"], results.get("deface")
    cells = [
        str(case), f"{ours.end_to_end_fps:.1f}", f"{ours.net_fps:.1f}",
        f"{bare.end_to_end_fps:.1f}", f"{ours.end_to_end_fps / bare.end_to_end_fps:.2f}",
        f"{ours.peak_mib:.0f}", f"{bare.peak_mib:.0f}",
    ]  # fmt: skip
    if deface is not None:
        ratio = ours.end_to_end_fps / deface.net_fps
        cells += [f"{deface.net_fps:.2f}", f"{ratio:.1f}", f"{deface.peak_mib:.0f}"]
    return f"| {' | '.join(cells)} |"


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
