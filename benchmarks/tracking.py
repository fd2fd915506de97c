"""How well faces keep their identities: our online tracker, by tracker, against ByteTrack.

    python benchmarks/tracking.py --face ../shared/models [--clips ../shared/videos]

samples/trials.py makes the trials: one difficulty each, with the exact truth (`--trials FOLDER`
keeps them for the next run). `--clips` adds the annotated clips of a folder: NAME.mp4 or NAME.mkv
next to NAME.csv with the columns frame,track,x,y,w,h.

Each contender detects on every Nth frame with the same detector, and gives boxes in each frame:

    csrt, mosse      what our online tracker hides, before padding: between detection frames, and
                     where the detector misses a face, the named tracker tracks it; then it is held
    none             our online tracker detects on each frame; a face that is missed is held
    csrt, not held   csrt without the held boxes, to see what holding costs
    bytetrack        of `supervision`, with its defaults, tracks from the same score as ours;
                     between detection frames its last boxes stay
    truth            the truth itself: the best possible scores

HOTA, DetA, AssA and LocA are means over overlaps of 0.05 to 0.95. For IDF1, MOTA, misses, false
boxes, identity switches and fragmentations a box must overlap its face by 0.5 (IoU). TrackEval
computes all of them, over all clips as one. Fragmentations count each return of a face, so the
truth has some too. Times are processor time on one core: detection and tracking without decoding.

TrackEval and supervision are installed into a virtual environment of their own on the first run,
because they need another OpenCV.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
from online_tracker import Clip, load

from tracker_blur.core import plugins
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.settings import Settings
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("supervision==0.29.1", "trackeval==1.3.0")  # ByteTrack leaves supervision with 0.31
NOT_HELD = "csrt, not held"
COLUMNS = (
    "HOTA", "DetA", "AssA", "LocA", "IDF1", "MOTA", "misses", "false", "switches",
    "fragmentations", "ms a frame",
)  # fmt: skip

Row = tuple[int, float, float, float, float]
"""A face in a frame: identity, left, top, right, bottom."""
Frames = list[list[Row]]


class Contender(NamedTuple):
    """A tracker, and the interval of its detection frames."""

    name: str
    every: int

    def __str__(self) -> str:
        return f"{self.name} | {self.every}"


TRUTH = Contender("truth", 1)


class Shown(NamedTuple):
    """The boxes of a contender for one clip, and how many seconds of one core it took."""

    frames: Frames
    seconds: float


@dataclass
class Judged:
    """The clips of one folder: the truth, and the boxes of each contender, by clip."""

    truth: dict[str, Frames] = field(default_factory=dict)
    shown: dict[str, dict[Contender, Shown]] = field(default_factory=dict)

    def milliseconds(self, contender: Contender) -> float:
        """Return the cost of a frame."""
        seconds = sum(shown[contender].seconds for shown in self.shown.values())
        return 1000 * seconds / sum(len(shown[contender].frames) for shown in self.shown.values())


class OurTracker:
    """Our detector, our trackers, and the online tracker over both."""

    def __init__(self, settings: Settings) -> None:
        self._weights = Weights(settings.models_folder)
        _, self.detector = load_detector(settings.detector, self._weights)
        self._settings = settings

    def track(self, clip: Clip, contender: Contender) -> tuple[list[tuple[Face, ...]], float]:
        """Return the faces of each frame, and the seconds of one core it took."""
        new_tracker = None
        if contender.name != "none":
            plugin = plugins.load("tracker_blur.trackers", contender.name)
            new_tracker = plugin.load(self._weights)
        tracker = OnlineTracker(
            self.detector,
            self.detector.default_confidence,
            new_tracker,
            DetectionSchedule(contender.every, clip.rate, self._settings.tracking.schedule),
            self._settings.hold_seconds,
            time.perf_counter,
            self._settings.tracking,
        )
        started = time.process_time()
        faces = [
            tracker.step(view, seconds).faces
            for view, seconds in zip(clip.views, clip.seconds, strict=True)
        ]
        return faces, time.process_time() - started


def main() -> None:
    """Print the tables."""
    options = _options()
    cv2.setNumThreads(1)  # one core each, as next to an encoder
    settings = Settings(models_folder=options.face, detector=options.detector)
    ours, python = OurTracker(settings), _environment(options.env)
    with tempfile.TemporaryDirectory(prefix="trackblur-tracking-") as scratch:
        trials = options.trials or Path(scratch)
        if not any(trials.glob("*.csv")):
            make = [sys.executable, str(ROOT / "samples" / "trials.py"), str(trials)]
            subprocess.run(make, check=True)
        for title, folder in (("trials", trials), ("annotated clips", options.clips)):
            if folder is not None:
                judged = _judge(folder, settings.view_px, ours, options.every, python)
                scores = _scores(judged, python)
                print(*_totals(title, judged, scores), sep="\n", flush=True)
                print(*_by_clip(judged, scores), sep="\n", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--face", type=Path, help="folder with weight files")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="annotated clips")
    parser.add_argument("--trials", type=Path, metavar="FOLDER", help="keep the trials here")
    parser.add_argument("--every", type=int, nargs="+", default=[1, 2, 3, 5], metavar="N")
    parser.add_argument(
        "--env", type=Path, default=ROOT / "build" / "tracking", metavar="FOLDER",
        help="the virtual environment of TrackEval and supervision, made if missing",
    )  # fmt: skip
    return parser.parse_args()


def _environment(folder: Path) -> Path:
    """Return the Python of a virtual environment with the packages, made if missing."""
    python = folder / "bin" / "python"
    if not python.exists():
        _log(f"installing {' '.join(PACKAGES)} into {folder}")
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def _judge(
    folder: Path, view_px: int | None, ours: OurTracker, intervals: Sequence[int], python: Path
) -> Judged:
    """Have every contender track the faces of every clip of a folder."""
    judged = Judged()
    for file in _clips(folder):
        _log(f"tracking the faces of {file.name}")
        clip = load(file, view_px)
        shown = dict(_ours(clip, ours, intervals))
        shown |= _bytetrack(clip, ours.detector, intervals, python)
        truth = _truth(clip)
        shown[TRUTH] = Shown(truth, 0.0)
        judged.truth[file.stem], judged.shown[file.stem] = truth, shown
    return judged


def _clips(folder: Path) -> Iterator[Path]:
    for truth in sorted(folder.glob("*.csv")):
        for suffix in (".mp4", ".mkv"):
            if truth.with_suffix(suffix).exists():
                yield truth.with_suffix(suffix)


def _truth(clip: Clip) -> Frames:
    names = sorted({name for faces in clip.truth.values() for name, _ in faces})
    return [
        [(names.index(name), *box.as_tuple()) for name, box in clip.truth.get(index, [])]
        for index in range(len(clip.views))
    ]


def _ours(
    clip: Clip, ours: OurTracker, intervals: Sequence[int]
) -> Iterator[tuple[Contender, Shown]]:
    """Give the boxes of our online tracker, by tracker."""
    contenders = [
        Contender(name, every)
        for name in plugins.names("tracker_blur.trackers")
        for every in intervals
    ]
    for contender in (*contenders, Contender("none", 1)):
        faces, seconds = ours.track(clip, contender)
        yield contender, Shown([_rows(seen) for seen in faces], seconds)
        if contender.name == "csrt":
            found = [[face for face in seen if face.origin is not Origin.HELD] for seen in faces]
            yield (
                Contender(NOT_HELD, contender.every),
                Shown([_rows(seen) for seen in found], seconds),
            )


def _rows(faces: Sequence[Face]) -> list[Row]:
    return [(face.track_id, *face.box.as_tuple()) for face in faces]


def _bytetrack(
    clip: Clip, detector: Detector, intervals: Sequence[int], python: Path
) -> dict[Contender, Shown]:
    """Return the boxes of ByteTrack; between detection frames its last boxes stay."""
    low_confidence = min(detector.low_confidence, detector.default_confidence)
    detections, costs = [], []
    for view in clip.views:
        started = time.process_time()
        found = detector.detect(view, low_confidence)
        costs.append(time.process_time() - started)
        detections.append([(*each.box.as_tuple(), each.score) for each in found])
    shown = {}
    for every in intervals:
        request = {
            "detections": detections[::every],
            "confidence": detector.default_confidence,
            "detection_rate": clip.rate / every,
        }
        answer = _ask(python, "tracking_bytetrack.py", request)
        frames = [answer["frames"][index // every] for index in range(len(clip.views))]
        seconds = sum(costs[::every]) + answer["seconds"]
        shown[Contender("bytetrack", every)] = Shown(frames, seconds)
    return shown


def _scores(judged: Judged, python: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Return the scores by contender, then by clip or "all"."""
    request = {}
    for name, truth in judged.truth.items():
        frames = _annotated(truth)
        request[name] = {
            "truth": [truth[index] for index in frames],
            "shown": {
                str(contender): [shown.frames[index] for index in frames]
                for contender, shown in judged.shown[name].items()
            },
        }
    answer: dict[str, dict[str, dict[str, float]]] = _ask(python, "tracking_scores.py", request)
    return answer


def _annotated(truth: Frames) -> range:
    """Return which frames to judge: every kth where only every kth is annotated."""
    annotated = [index for index, faces in enumerate(truth) if faces]
    if len(annotated) < 2:
        return range(len(truth))
    step = math.gcd(*(index - annotated[0] for index in annotated))
    return range(annotated[0] % step, len(truth), step)


def _ask(python: Path, script: str, request: Any) -> Any:
    """Run a script of this folder in the other environment: JSON in, JSON out."""
    done = subprocess.run(
        [python, Path(__file__).with_name(script)],
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def _totals(
    title: str, judged: Judged, scores: dict[str, dict[str, dict[str, float]]]
) -> Iterator[str]:
    """Give a table with a row for each contender, over all clips as one."""
    yield f"\n| {title}: tracker | N | {' | '.join(COLUMNS)} |"
    yield f"|---|{'---:|' * (len(COLUMNS) + 1)}"
    for contender in next(iter(judged.shown.values())):
        score = scores[str(contender)]["all"]
        shares = [f"{100 * score[name]:.1f}" for name in COLUMNS[:6]]
        counts = [f"{score[name]:.0f}" for name in ("CLR_FN", "CLR_FP", "IDSW", "Frag")]
        cells = [*shares, *counts, f"{judged.milliseconds(contender):.1f}"]
        yield f"| {contender} | {' | '.join(cells)} |"


def _by_clip(judged: Judged, scores: dict[str, dict[str, dict[str, float]]]) -> Iterator[str]:
    """Give a table with a row for each clip, with the contenders that make sense to use."""
    default = Settings().detect_every_frames
    contenders = [
        contender
        for contender in next(iter(judged.shown.values()))
        if contender in {("csrt", default), ("none", 1), ("bytetrack", 1), TRUTH}
    ]
    heads = [f"{name}, N = {every}" for name, every in contenders]
    yield f"\n| HOTA / IDF1 / switches / fragmentations | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(heads)}"
    for clip in judged.truth:
        cells = []
        for contender in contenders:
            score = scores[str(contender)][clip]
            cells.append(
                f"{100 * score['HOTA']:.0f} / {100 * score['IDF1']:.0f} / "
                f"{score['IDSW']:.0f} / {score['Frag']:.0f}"
            )
        yield f"| {clip} | {' | '.join(cells)} |"


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
