"""Measures how much of each annotated face stays visible: trackblur, deface, plain detection.

    python benchmarks/leaks.py --face ../shared/models [--tools two-pass,deface-0.2]
        [--only CLIP,...] [--keep FOLDER] [--out docs/leaks.md]
    python benchmarks/leaks.py --face ../shared/models --hard [--only CLIP,...]
        [--out docs/leaks.md]

With --hard, trackblur runs over the hard clips instead, once with its own weights and once as it
does where YuNet is installed, too: benchmarks/difficulties.py says what the two tables show.

A clip is NAME.mp4 or NAME.mkv next to NAME.csv with the columns frame,track,x,y,w,h. Every tool
fills faces with solid black and otherwise works as it does by default. `--judge` names the program
that compares its output with the clip and the annotations.

- two-pass, one-pass: trackblur by default, and with --one-pass.
- delay-5, delay-15: --one-pass with --delay of that many frames of the clip.
- deface-0.2, deface-0.5: deface 1.5.0 at its default threshold and at a higher one, in its own
  virtual environment. The first run makes that and keeps deface's outputs there.
- plain: what trackblur's detector detects in each frame by itself, and nothing else.

Some annotated boxes show no face; benchmarks/wrong_boxes.csv lists those that were found by eye,
from frame `first` to frame `last`, counted from 0. They count in all figures, but "in wrong boxes"
says how many of the exposed face-frames are theirs.

In the totals, face-frames are pooled, and so are tracks; over-blur and jitter are the clips' means,
weighted by their face-frames. `/ deface` is the over-blur divided by that of deface-0.2, followed
in parentheses by that of the clip where it is largest. A † marks an output with more or fewer
frames than the clip, which is still judged frame by frame. Times are of whole processes (plain:
without the start of Python), run once, next to anything else on the machine: benchmarks/speed.py
measures speed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import json
import math
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import av
import difficulties

from tracker_blur.core.frame import view_size
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.detectors import load_detector
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter
from tracker_blur.weights.store import Weights

ROOT = Path(__file__).resolve().parents[1]
DEFACE_PACKAGES = ("deface==1.5.0", "onnxruntime<1.29")  # as in setup.cfg: it sends nothing
DEFACE_ENCODER = {"codec": "libx264", "macro_block_size": 2}  # its default would resize 1080p
BASELINE = "deface-0.2"
NOTHING = "-"
MARKS = "<!-- tables: benchmarks/leaks.py -->", "<!-- end of tables -->"
WRONG_BOXES = ROOT / "benchmarks" / "wrong_boxes.csv"
HARD_MARKS = "<!-- tables: benchmarks/leaks.py --hard -->", "<!-- end of tables of hard clips -->"
HARD_TRUTH = ROOT / "benchmarks" / "hard_clips"
HARD_DETECTORS = {"own weights": "onnx", "YuNet present": "auto"}
HEAD = (
    "exposed", "longest run", "clean tracks", "tracks never hidden", "least hidden", "over-blur",
    "/ deface", "jitter", "false area", "time",
)  # fmt: skip


class Clip(NamedTuple):
    """A video and the annotations of its faces."""

    video: Path
    truth: Path

    @property
    def name(self) -> str:
        """The clip's name, without extension."""
        return self.video.stem


Redact: TypeAlias = Callable[[Clip, Path], float]
"""Writes a redacted clip to a path; returns the seconds that it took."""


@dataclass(frozen=True)
class Figures:
    """What stays visible in one clip, or in several.

    Attributes:
        face_frames: annotated faces, counted in each frame.
        exposed: exposed face-frames.
        in_wrong_boxes: those of them whose annotated box is known to show no face.
        longest_run: most successive frames in which a face is exposed.
        tracks: annotated tracks.
        clean: tracks that are never exposed.
        never_hidden: tracks that are exposed in each of their frames.
        least_hidden: the smallest hidden share of any face.
        overblur: hidden area over the area of the faces.
        jitter: how much the hidden share of a face changes between frames.
        false_pct: hidden share of frames without a face; None if the clip has faces.
        is_complete: whether the output has as many frames as the clip.
        seconds: time of the process.
    """

    face_frames: int
    exposed: int
    in_wrong_boxes: int
    longest_run: int
    tracks: int
    clean: int
    never_hidden: int
    least_hidden: float
    overblur: float
    jitter: float
    false_pct: float | None
    is_complete: bool
    seconds: float


def main() -> int:
    """Run the tools over the clips, print the tables and store them."""
    arguments = _parser().parse_args()
    if arguments.hard is not None:
        return _hard(arguments)
    tools = _chosen(_tools(arguments), arguments.tools)
    results: dict[str, dict[str, Figures]] = {}
    sections = []
    for clip in _clips(arguments):
        results[clip.name] = dict(_measured(clip, tools, arguments.judge, arguments.keep))
        sections.append(f"## {clip.name}\n\n{_table(_rows([results[clip.name]]))}")
        print(f"{sections[-1]}\n", flush=True)
    sections.insert(0, f"## In total\n\n{_table(_rows(list(results.values())))}")
    print(sections[0])
    if arguments.out is not None:
        _store("\n\n".join(sections), arguments.out, MARKS)
    return 0


def _hard(arguments: argparse.Namespace) -> int:
    """Run each detector over the hard clips, print the tables and store them."""
    clips = [
        Clip(arguments.hard / f"{truth.stem}.mp4", truth)
        for truth in sorted(HARD_TRUTH.glob("*.csv"))
        if arguments.only is None or truth.stem in arguments.only
    ]
    results: dict[str, dict[str, difficulties.Judged]] = {name: {} for name in HARD_DETECTORS}
    with tempfile.TemporaryDirectory(prefix="trackblur-leaks-") as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for clip, (name, detector) in itertools.product(clips, HARD_DETECTORS.items()):
            options = ["--method", "solid", "--color", difficulties.COLOR, "--overwrite", "--quiet"]
            options += ["--detector", detector, *arguments.options.split()]
            options += ["--face", str(arguments.face)] if arguments.face else []
            target = folder / f"{clip.name}_{detector}.mp4"
            seconds = _trackblur(options, 0, clip, target)
            judged = difficulties.judge(clip.video, target, clip.truth)
            results[name][clip.name] = judged
            exposed = sum(is_exposed for _, is_exposed in judged.faces)
            _log(
                f"{clip.name}: {name}: {exposed} exposed, "
                f"false area {judged.false_pct:.1f} %, {seconds:.1f} s"
            )
    tables = difficulties.tables(results)
    print(tables)
    if arguments.out is not None:
        _store(tables, arguments.out, HARD_MARKS)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = ROOT.parent / "shared"
    every_tool = "two-pass,one-pass,delay-5,delay-15,deface-0.2,deface-0.5,plain"
    parser.add_argument("--clips", type=Path, default=shared / "videos", metavar="FOLDER")
    parser.add_argument("--only", type=_names, metavar="CLIP,...", help="names without extension")
    parser.add_argument(
        "--hard", type=Path, nargs="?", const=shared / "videos" / "hard", metavar="FOLDER",
        help="run over the hard clips in this folder instead (default: %(const)s)",
    )  # fmt: skip
    parser.add_argument(
        "--judge", type=Path, default=shared / "tools" / "exposure.py", metavar="FILE"
    )
    parser.add_argument("--tools", type=_names, default=every_tool, help="(default: %(default)s)")
    parser.add_argument("--face", type=Path, metavar="DIR", help="folder with weight files")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--options", default="", help="further options for trackblur")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the outputs here")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="Markdown file whose tables are replaced"
    )
    parser.add_argument(
        "--deface-env", type=Path, default=ROOT / "build" / "deface", metavar="FOLDER",
        help="virtual environment of deface, made if missing",
    )  # fmt: skip
    return parser


def _names(text: str) -> list[str]:
    return text.split(",")


def _clips(arguments: argparse.Namespace) -> list[Clip]:
    clips = [
        Clip(video, truth)
        for truth in sorted(arguments.clips.glob("*.csv"))
        for video in (truth.with_suffix(".mp4"), truth.with_suffix(".mkv"))
        if video.exists() and (arguments.only is None or video.stem in arguments.only)
    ]
    if not clips:
        raise SystemExit(f"{arguments.clips}: has no annotated clips, or none with these names")
    return clips


def _tools(arguments: argparse.Namespace) -> dict[str, Redact]:
    settings = Settings(
        models_folder=arguments.face, detector=arguments.detector, method="solid", overwrite=True
    )
    options = ["--method", "solid", "--detector", arguments.detector, "--overwrite", "--quiet"]
    options += ["--face", str(arguments.face)] if arguments.face else []
    options += arguments.options.split()
    one_pass = [*options, "--one-pass"]
    return {
        "two-pass": partial(_trackblur, options, 0),
        "one-pass": partial(_trackblur, one_pass, 0),
        "delay-5": partial(_trackblur, one_pass, 5),
        "delay-15": partial(_trackblur, one_pass, 15),
        "deface-0.2": partial(_deface, arguments.deface_env, 0.2),
        "deface-0.5": partial(_deface, arguments.deface_env, 0.5),
        "plain": partial(_plain, settings),
    }


def _chosen(tools: Mapping[str, Redact], names: Sequence[str]) -> dict[str, Redact]:
    unknown = sorted(set(names) - set(tools))
    if unknown:
        raise SystemExit(f"--tools: {', '.join(unknown)}: choose from {', '.join(tools)}")
    return {name: tool for name, tool in tools.items() if name in names}


def _trackblur(options: Sequence[str], delay_frames: int, clip: Clip, target: Path) -> float:
    delay = []
    if delay_frames:
        with VideoReader(clip.video) as source:
            delay = ["--delay", f"{float(delay_frames / source.info.rate):.6f}"]
    program = [sys.executable, "-m", "tracker_blur", str(clip.video), str(target)]
    return _timed([*program, *options, *delay])


def _plain(settings: Settings, clip: Clip, target: Path) -> float:
    """Hide what the detector detects in each frame."""
    started = time.perf_counter()
    _, detector = load_detector(settings.detector, Weights(settings.models_folder))
    redactor = FrameRedactor(settings)
    with VideoReader(clip.video) as source:
        width, height = view_size(source.info.size, settings.view_px, source.info.pixel_aspect)
        x_ratio, y_ratio = source.info.size[0] / width, source.info.size[1] / height
        with VideoWriter(target, clip.video, source, settings) as sink:
            for frame in source:
                detections = detector.detect(
                    frame.view((width, height)), detector.default_confidence
                )
                faces = [
                    Face(
                        index,
                        detection.box.scaled(x_ratio, y_ratio),
                        detection.score,
                        Origin.DETECTED,
                    )
                    for index, detection in enumerate(detections)
                ]
                sink.write(redactor.redact(frame, faces))
    return time.perf_counter() - started


def _deface(environment: Path, threshold: float, clip: Clip, target: Path) -> float:
    """Run deface, or reuse what an earlier run left in its environment."""
    digest = hashlib.sha256(clip.video.read_bytes()).hexdigest()[:16]
    kept = environment / "leaks" / f"{digest}_{threshold}.mp4"
    seconds = kept.with_suffix(".seconds")
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".unfinished.mp4")
        command = [
            str(_deface_program(environment)), str(_starting_at_zero(clip.video, kept.parent)),
            "--output", str(unfinished), "--thresh", str(threshold), "--replacewith", "solid",
            "--ffmpeg-config", json.dumps(DEFACE_ENCODER),
        ]  # fmt: skip
        seconds.write_text(str(_timed(command)))
        unfinished.rename(kept)
    shutil.copyfile(kept, target)
    return float(seconds.read_text())


def _starting_at_zero(video: Path, folder: Path) -> Path:
    """Return the video, or a copy of its video stream alone if its audio starts earlier.

    deface's reader would repeat the first frame until its time comes, and so its output would be
    judged by the wrong frames.
    """
    with av.open(video) as source:
        stream = source.streams.video[0]
        start = stream.start_time or 0
        if start * (stream.time_base or 0) * av.time_base <= (source.start_time or 0):
            return video
        target = folder / f"{video.stem}_video.mp4"
        with av.open(target, "w") as copy:
            track = copy.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.pts is not None and packet.dts is not None:  # the last packet is empty
                    packet.pts -= start
                    packet.dts -= start
                    packet.stream = track
                    copy.mux(packet)
    return target


def _deface_program(environment: Path) -> Path:
    """Return the program in its virtual environment; make that if it is missing."""
    program = environment / "bin" / "deface"
    if not program.exists():
        _log(f"installing {' '.join(DEFACE_PACKAGES)} into {environment}")
        venv.create(environment, with_pip=True)
        install = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *DEFACE_PACKAGES], check=True)
    return program


def _timed(command: Sequence[str]) -> float:
    """Run a program and return its seconds."""
    started = time.perf_counter()
    _run_to_end(command)
    return time.perf_counter() - started


def _run_to_end(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; if it fails, show why and end the benchmark."""
    run = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if run.returncode != 0:
        output = (run.stdout + run.stderr)[-2000:]
        raise SystemExit(f"{' '.join(command)}\nfailed ({run.returncode}):\n{output}")
    return run


def _measured(
    clip: Clip, tools: Mapping[str, Redact], judge: Path, keep: Path | None
) -> Iterator[tuple[str, Figures]]:
    """Yield each tool's figures on a clip."""
    with tempfile.TemporaryDirectory(prefix="trackblur-leaks-") as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name, redact in tools.items():
            target = folder / f"{clip.name}_{name}{clip.video.suffix}"
            seconds = redact(clip, target)
            figures = _judged(clip, target, judge, seconds)
            _log(f"{clip.name}: {name}: {figures.exposed} exposed, {seconds:.1f} s")
            yield name, figures


def _judged(clip: Clip, redacted: Path, judge: Path, seconds: float) -> Figures:
    command = [sys.executable, str(judge), str(clip.video), str(redacted), str(clip.truth)]
    judged = _run_to_end([*command, "--list", "--json"])
    *exposures, summary = judged.stdout.splitlines()
    scores = json.loads(summary)
    with clip.truth.open(newline="") as rows:
        lengths = Counter(row["track"] for row in csv.DictReader(rows))
    found = [re.fullmatch(r"exposed track (.*) frame (\d+) cover .*", line) for line in exposures]
    shown = [(match[1], int(match[2])) for match in found if match is not None]
    if len(shown) != scores["exposed"]:
        raise SystemExit(f"{judge}: {scores['exposed']} exposed, but {len(shown)} such lines")
    exposed = Counter(track for track, _ in shown)
    return Figures(
        face_frames=scores["face_frames"],
        exposed=scores["exposed"],
        in_wrong_boxes=sum(_is_wrong(clip.name, track, frame) for track, frame in shown),
        longest_run=scores["longest_run"],
        tracks=scores["tracks"],
        clean=round(scores["clean_tracks_pct"] * scores["tracks"] / 100),
        never_hidden=sum(frames == lengths[track] for track, frames in exposed.items()),
        least_hidden=scores["worst_cover"],
        overblur=scores["overblur"],
        jitter=scores["coverage_jitter"],
        false_pct=scores["false_area_pct"],
        is_complete="number of frames" not in judged.stderr,
        seconds=seconds,
    )


def _is_wrong(clip: str, track: str, frame: int) -> bool:
    """Return whether an annotated box is known to show no face."""
    return any(
        (clip, track) == (row["clip"], row["track"])
        and int(row["first"]) <= frame <= int(row["last"])
        for row in _wrong_boxes()
    )


@cache
def _wrong_boxes() -> list[dict[str, str]]:
    with WRONG_BOXES.open(newline="") as rows:
        return list(csv.DictReader(rows))


def _rows(results: Sequence[Mapping[str, Figures]]) -> Iterator[list[str]]:
    """Yield each tool's row of a table over clips that all have figures of all tools."""
    for name in results[0]:
        clips = [result[name] for result in results]
        mark = "" if all(clip.is_complete for clip in clips) else " †"
        baselines = [result[BASELINE] for result in results if BASELINE in result]
        yield [f"{name}{mark}", *_cells(clips, baselines)]


def _cells(clips: Sequence[Figures], baselines: Sequence[Figures]) -> Iterator[str]:
    """Yield the cells of a tool over some clips, given those of the baseline if it was run."""
    total = _total(clips)
    if total.face_frames:
        wrong = f"; {total.in_wrong_boxes} in wrong boxes" if total.in_wrong_boxes else ""
        yield f"{100 * total.exposed / total.face_frames:.2f} % ({total.exposed}{wrong})"
        yield str(total.longest_run)
        yield f"{100 * total.clean / total.tracks:.1f} % of {total.tracks}"
        yield str(total.never_hidden)
        yield f"{total.least_hidden:.3f}"
        yield f"{total.overblur:.2f}"
        yield _relative(clips, baselines)
        yield f"{total.jitter:.4f}"
    else:
        yield from [NOTHING] * 8
    yield NOTHING if total.false_pct is None else f"{total.false_pct:.3f} %"
    yield f"{total.seconds:.1f} s"


def _total(clips: Sequence[Figures]) -> Figures:
    face_frames = sum(clip.face_frames for clip in clips)

    def mean(values: Iterable[float]) -> float:
        weighted = zip(values, clips, strict=True)
        return sum(value * clip.face_frames for value, clip in weighted) / max(1, face_frames)

    false = [clip.false_pct for clip in clips if clip.false_pct is not None]
    return Figures(
        face_frames=face_frames,
        exposed=sum(clip.exposed for clip in clips),
        in_wrong_boxes=sum(clip.in_wrong_boxes for clip in clips),
        longest_run=max(clip.longest_run for clip in clips),
        tracks=sum(clip.tracks for clip in clips),
        clean=sum(clip.clean for clip in clips),
        never_hidden=sum(clip.never_hidden for clip in clips),
        least_hidden=min(clip.least_hidden for clip in clips),
        overblur=mean(clip.overblur for clip in clips),
        jitter=mean(clip.jitter for clip in clips),
        false_pct=statistics.mean(false) if false else None,
        is_complete=all(clip.is_complete for clip in clips),
        seconds=sum(clip.seconds for clip in clips),
    )


def _relative(clips: Sequence[Figures], baselines: Sequence[Figures]) -> str:
    """Return the over-blur divided by the baseline's, and the largest such ratio of a clip."""
    if not baselines:
        return NOTHING
    ratio = f"{_ratio(_total(clips), _total(baselines)):.2f}"
    if len(clips) == 1:
        return ratio
    largest = max(_ratio(*pair) for pair in zip(clips, baselines, strict=True))
    return f"{ratio} ({largest:.2f})"


def _ratio(ours: Figures, theirs: Figures) -> float:
    if theirs.overblur:
        return ours.overblur / theirs.overblur
    return math.inf if ours.overblur else 1.0


def _table(rows: Iterable[Sequence[str]]) -> str:
    lines = [["", *HEAD], ["---", *["---:"] * len(HEAD)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _store(tables: str, file: Path, marks: tuple[str, str]) -> None:
    """Replace the tables in a document and keep the rest of it, or start a document."""
    first, last = marks
    text = file.read_text() if file.exists() else f"{first}\n{last}\n"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise SystemExit(f"{file}: has no place for the tables: add {first} and {last}")
    file.write_text(f"{before}{first}\n\n{tables}\n\n{last}{after}")


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
