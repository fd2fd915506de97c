"""Measures what hiding plates shows, hides and costs.

    python benchmarks/plates.py [--shared ../shared] [--frames 75] [--canvases 2] [--repeat 3]
        [--only without,with,cost]

- without: clips of `videos/` without a plate, their first frames. Hidden area is the share of the
  picture that is hidden, in the mean over all frames; every plate track is a false one.
- with: clips made of annotated scenes (`plate_clips.py`). A plate is exposed in a frame when less
  than 85 % of its box is hidden. Scenes have more plates than the one that is annotated, so what
  else is hidden says little.
- cost: processor time of `trackblur --hide faces,plates`, over that of `--hide faces`. Both run in
  turns as processes of their own; the ratio is the median of those of the pairs.

What is hidden is filled with plain green, and distinguished from what was green before.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt
from plate_clips import SHOTS, Plate, canvas, frames, read_scenes, write_clip

from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
WITHOUT = (
    "no_faces", "walkers_1080p", "runner_portrait", "street_crowd", "david", "signer",
    "hard/pushup_profile", "hard/town_hd", "hard/worker_zone", "hard/armwrestle",
)  # fmt: skip
COST = ("hard/pushup_profile", "walkers_1080p", "hard/town_hd")
"""One clip of 1280x720, two of 1920x1080."""
SIZE = 640, 360
SCENES = "openalpr_benchmarks"
COLOR = "#00ff00"
GREENS = (0, 165, 0), (90, 255, 90)
"""What the plain color may become when it is encoded: lowest and highest values, BGR."""
HIDDEN_SHARE = 0.85

Mask = npt.NDArray[np.bool_]


def main() -> int:
    """Run the chosen parts, and print their tables."""
    arguments = _parser().parse_args()
    parts = {"without": _without, "with": _with, "cost": _cost}
    with tempfile.TemporaryDirectory(prefix="trackblur-plates-") as folder:
        for name in arguments.only.split(","):
            print(f"{parts[name](arguments, Path(folder))}\n", flush=True)
    return 0


def _without(arguments: argparse.Namespace, folder: Path) -> str:
    rows, areas, tracks = [], [], []
    for name in WITHOUT:
        clip = _shortened(_video(arguments, name), folder, arguments.frames)
        masks, count = _hidden(clip, folder)
        areas.append(statistics.mean(100 * float(mask.mean()) for mask in masks))
        tracks.append(count)
        rows.append([name, str(count), f"{areas[-1]:.2f} %"])
    rows.append(["all", str(sum(tracks)), f"{statistics.mean(areas):.2f} %"])
    return _table(["without plates", "plate tracks", "hidden area"], rows)


def _with(arguments: argparse.Namespace, folder: Path) -> str:
    scenes = read_scenes(arguments.shared / "plates", SCENES)
    mixed = np.random.default_rng(0).permutation(len(scenes))  # the folder goes by country
    scenes = [scenes[index] for index in mixed]
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for number in range(len(SHOTS) * arguments.canvases):
        shot = SHOTS[number % len(SHOTS)]
        whole = canvas(scenes[9 * number : 9 * number + 9])
        made = list(frames(whole, shot, SIZE, number))
        clip = folder / f"{shot.name}.mp4"
        write_clip(clip, [frame.image for frame in made], SIZE)
        masks, _ = _hidden(clip, folder)
        seen: defaultdict[int, list[bool]] = defaultdict(list)
        for mask, frame in zip(masks, made, strict=True):
            for plate in frame.plates:
                seen[plate.number].append(_is_exposed(plate, mask))
        for name in (shot.name, "all"):
            counts[name][0] += len(seen)
            counts[name][1] += sum(all(exposed) for exposed in seen.values())
            counts[name][2] += sum(len(exposed) for exposed in seen.values())
            counts[name][3] += sum(sum(exposed) for exposed in seen.values())
    everything = counts.pop("all")
    rows = [
        [name, str(plates), str(never), str(total), f"{exposed} ({100 * exposed / total:.1f} %)"]
        for name, (plates, never, total, exposed) in [*counts.items(), ("all", everything)]
    ]
    head = ["made clips", "plates", "never hidden", "plate-frames", "exposed"]
    return _table(head, rows)


def _cost(arguments: argparse.Namespace, folder: Path) -> str:
    rows = []
    for name in COST:
        clip = _shortened(_video(arguments, name), folder, arguments.frames)
        pairs = [
            (_processor_seconds(clip, "faces"), _processor_seconds(clip, "faces,plates"))
            for _ in range(arguments.repeat)
        ]
        frame_count = sum(1 for _ in _images(clip))
        ratio = statistics.median(both / faces for faces, both in pairs)
        faces, both = (
            1000 * statistics.median(one) / frame_count for one in zip(*pairs, strict=True)
        )
        rows.append([name, f"{faces:.0f} ms", f"{both:.0f} ms", f"{ratio:.2f}"])
    return _table(["processor time a frame", "faces", "faces, plates", "ratio"], rows)


def _processor_seconds(clip: Path, hide: str) -> float:
    """Return the processor time of a run."""
    target = clip.with_suffix(".out.mp4")
    before = os.times()
    command = [sys.executable, "-m", "tracker_blur", str(clip), "-o", str(target)]
    subprocess.run([*command, "--hide", hide, "--overwrite", "--quiet"], check=True, cwd=ROOT)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def _video(arguments: argparse.Namespace, name: str) -> Path:
    for ending in (".mp4", ".mkv"):
        path = Path(arguments.shared / "videos" / f"{name}{ending}")
        if path.exists():
            return path
    raise SystemExit(f"{arguments.shared / 'videos' / name}: is missing")


def _shortened(video: Path, folder: Path, count: int) -> Path:
    """Return a copy of the first frames of a video."""
    images = list(islice(_images(video), count))
    height, width = (side - side % 2 for side in images[0].shape[:2])
    target = folder / f"{video.stem}.mp4"
    write_clip(target, [image[:height, :width] for image in images], (width, height))
    return target


def _hidden(clip: Path, folder: Path) -> tuple[list[Mask], int]:
    """Hide the plates of a clip; return where, in each frame, and the number of tracks."""
    settings = Settings(hide=("plates",), method="solid", color=COLOR, overwrite=True)
    target = folder / f"{clip.stem}.hidden.mp4"
    report = Engine(settings).redact_file(Job(clip, target, "video"))
    pairs = zip(_images(clip), _images(target), strict=True)
    masks = [_is_green(after) & ~_is_green(before) for before, after in pairs]
    return masks, sum(report.track_counts.values())


def _is_green(image: npt.NDArray[np.uint8]) -> Mask:
    return np.asarray(cv2.inRange(image, *GREENS), bool)


def _is_exposed(plate: Plate, mask: Mask) -> bool:
    left, top = max(0, round(plate.x)), max(0, round(plate.y))
    right, bottom = round(plate.x + plate.w), round(plate.y + plate.h)
    return float(mask[top:bottom, left:right].mean()) < HIDDEN_SHARE


def _images(video: Path) -> Iterator[npt.NDArray[np.uint8]]:
    with av.open(str(video)) as source:
        source.streams.video[0].thread_type = "AUTO"
        for frame in source.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", metavar="FOLDER")
    parser.add_argument("--frames", type=int, default=75, help="of each clip without plates")
    parser.add_argument("--canvases", type=int, default=2, help="made clips of each kind")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each kind, for the cost")
    parser.add_argument("--only", default="without,with,cost", metavar="PART,...")
    return parser


if __name__ == "__main__":
    sys.exit(main())
