"""Whether `trackblur verify` reports every face that is shown, and none that is hidden.

    python benchmarks/verification.py --face ../shared/models --clips ../shared/videos

Hides every face of a clip (the truth's, and whatever the detectors at hand take for one), once
wholly and once with holes: each of the truth's tracks is shown for ten frames. Then verifies both
outputs by pixels (--against), by tracks, and by detail alone.

shown      face-frames in the holes, of 16 px and more, at most 30 % under what is hidden nearby
found      of these, reported, firm or doubtful
false      reported faces, in the output without holes, that are hidden: by 70 % and more
beside     reported places there that are not: what the looks at other scales take for a face
"""

from __future__ import annotations

import argparse
import csv
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks, TracksBuilder
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings
from tracker_blur.verification.probes import probes
from tracker_blur.verification.verdict import Run, Verdict
from tracker_blur.verification.verifier import Verifier
from tracker_blur.verification.visibility import uncovered_share
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter
from tracker_blur.weights.store import Weights

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "crossing.mp4"
CLIPS = ("street_crowd", "webcam", "two_heads")
METHODS = ("pixelated", "gaussian", "fog", "solid")
HOLE_FRAMES = 10
SMALLEST_PX = 16
PADDING = Settings().padding_ratio


@dataclass
class VerificationRun:
    """A clip with all its faces, by frame; `holes` says which track is shown when."""

    path: Path
    size: tuple[int, int]
    frames: int
    faces: dict[int, list[Face]]
    truth: dict[int, list[tuple[int, Box]]]
    holes: dict[int, range]

    def hidden(self, frame: int, with_holes: bool) -> list[Face]:
        """Return the faces to hide in a frame."""
        return [
            face
            for face in self.faces[frame]
            if not (with_holes and frame in self.holes.get(face.track_id, ()))
        ]

    def covered(self, frame: int, with_holes: bool) -> list[Box]:
        """Return the boxes whose ellipses are hidden in a frame."""
        return [face.box.padded(PADDING) for face in self.hidden(frame, with_holes)]

    def tracks(self, with_holes: bool) -> Tracks:
        """Return what is hidden as tracks."""
        builder = TracksBuilder()
        for frame in range(self.frames):
            for face in self.hidden(frame, with_holes):
                builder.add(frame, face)
        times = np.arange(self.frames, dtype=np.int64)
        return Tracks(self.size, Fraction(1, 25), times, (), builder.tracks())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--face", type=Path, help="folder with weights")
    parser.add_argument("--clips", type=Path, help="folder with annotated clips")
    parser.add_argument("--frames", type=int, default=40, help="of each clip")
    parser.add_argument("--only", help="of the clips, the one of this name")
    parser.add_argument("--evidence", default="pixels,tracks,detail", help="which ways to judge")
    options = parser.parse_args()
    settings = Settings(models_folder=options.face)
    verifier = Verifier(settings)
    print("| clip | method | evidence | shown | found | false | beside | frames a second |")
    print("|---|---|---|---|---|---|---|---|")
    paths = [SAMPLE]
    if options.clips is not None:
        paths += [options.clips / f"{name}.mp4" for name in CLIPS]
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            if options.only not in (None, path.stem):
                continue
            cut = Path(folder, path.name)
            _write(path, cut, Settings(), lambda frame: [], options.frames)
            case = _case(cut, path.with_suffix(".csv"), settings)
            for method in METHODS:
                ways = options.evidence.split(",")
                for row in _rows(case, method, verifier, Path(folder), ways):
                    print(f"| {path.stem} | {method} | {row} |", flush=True)


def _case(path: Path, truth_path: Path, settings: Settings) -> VerificationRun:
    truth: dict[int, list[tuple[int, Box]]] = defaultdict(list)
    with truth_path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            box = Box.from_xywh(*(float(row[name]) for name in "xywh"))
            truth[int(row["frame"])].append((int(row["track"]), box))
    faces: dict[int, list[Face]] = defaultdict(list)
    others = itertools.count(1_000_000)
    all_lookers = probes(settings, Weights(settings.models_folder))
    with VideoReader(path) as video:
        for frame in video:
            picture = frame.view(frame.size)
            finds = [find for looker in all_lookers for find in looker.look(picture, Fraction(1))]
            known = truth[frame.index]
            boxes = [*known]
            for find in finds:
                near = max(known, key=lambda each: each[1].iou(find.box), default=None)
                is_known = near is not None and near[1].iou(find.box) > 0.2
                boxes.append((near[0] if near and is_known else next(others), find.box))
            faces[frame.index] = [Face(track, box, 1.0, Origin.DETECTED) for track, box in boxes]
            size, count = frame.size, frame.index + 1
    ids = sorted({track for frame in range(count) for track, _ in truth[frame]})
    starts = {track: 3 + 7 * at % max(1, count - HOLE_FRAMES) for at, track in enumerate(ids)}
    holes = {track: range(start, start + HOLE_FRAMES) for track, start in starts.items()}
    return VerificationRun(path, size, count, faces, truth, holes)


def _rows(
    case: VerificationRun, method: str, verifier: Verifier, folder: Path, ways: list[str]
) -> list[str]:
    settings = Settings(method=method, overwrite=True)
    outputs = {}
    for with_holes in (False, True):
        target = folder / f"{method}-{with_holes}.mp4"

        def hidden(frame: int, with_holes: bool = with_holes) -> list[Face]:
            return case.hidden(frame, with_holes)

        _write(case.path, target, settings, hidden, case.frames)
        outputs[with_holes] = target
    rows = []
    for evidence in ways:
        verdicts = [
            verifier.verify(
                output,
                source=case.path if evidence == "pixels" else None,
                tracks=case.tracks(with_holes) if evidence == "tracks" else None,
            )
            for with_holes, output in outputs.items()
        ]
        shown, found = _found(case, verdicts[1])
        bare = [
            uncovered_share(box, case.covered(frame, False)) for frame, box in _boxes(verdicts[0])
        ]
        false = sum(share <= 0.3 for share in bare)
        speed = sum(verdict.frames for verdict in verdicts) / sum(v.took for v in verdicts)
        rows.append(f"{evidence} | {shown} | {found} | {false} | {len(bare) - false} | {speed:.1f}")
    return rows


def _found(case: VerificationRun, verdict: Verdict) -> tuple[int, int]:
    reported = list(_boxes(verdict))
    shown = [
        (frame, box)
        for frame in range(case.frames)
        for track, box in case.truth[frame]
        if frame in case.holes[track]
        and box.size >= SMALLEST_PX
        and uncovered_share(box, case.covered(frame, True)) >= 0.7
    ]
    found = sum(
        any(frame == other and box.iou(place) > 0.3 for other, place in reported)
        for frame, box in shown
    )
    return len(shown), found


def _runs(verdict: Verdict) -> tuple[Run, ...]:
    return verdict.runs + verdict.doubtful


def _boxes(verdict: Verdict) -> list[tuple[int, Box]]:
    return [(face.frame, face.box) for run in _runs(verdict) for face in run.exposures]


def _write(
    source: Path,
    target: Path,
    settings: Settings,
    hidden: Callable[[int], list[Face]],
    frames: int,
) -> None:
    redactor = Redactor(settings)
    with VideoReader(source) as video, VideoWriter(target, source, video, settings) as sink:
        for frame in itertools.islice(video, frames):
            sink.write(redactor.redact(frame, hidden(frame.index)))


if __name__ == "__main__":
    main()
