"""Measures whether `trackblur verify` reports every visible face, and none that is hidden.

    python benchmarks/verification.py --face ../shared/models --clips ../shared/videos
    python benchmarks/verification.py --clips ../shared/videos --outputs [--face ../shared/models]
        [--every 2] [--frames 40] [--sheets FOLDER] [--careful]

With --outputs, all annotated clips, and those in the folder hard, are hidden by a default run, and
leaks of five frames are planted: benchmarks/verification_outputs.py says how they are judged.

Without it, every face of a clip (annotated, or detected by the probes) is hidden twice: once
completely, and once with gaps, in which each annotated track is visible for ten frames. Then both
outputs are verified by pixels (--against), by tracks, and by detail alone.

shown:     annotated face-frames in the gaps, of at least 16 px and at most 30 % hidden by others.
found:     how many of these are reported, exposed or to be looked at.
false:     reported faces in the output without gaps that are hidden by at least 70 %.
elsewhere: other places reported there: what the detectors take for a face at other scales.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import verification_outputs

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.verification.probes import load_probes
from tracker_blur.verification.verifier import Verifier
from tracker_blur.verification.visibility import unhidden_share
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.verification.exposures import ExposureRun
    from tracker_blur.verification.verdict import Verdict

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "crossing.mp4"
CLIPS = ("street_crowd", "webcam", "two_heads")
METHODS = ("mosaic", "pixelated", "gaussian", "fog", "solid")
GAP_FRAMES = 10
MIN_FACE_PX = 16
PADDING = Settings().padding_ratio


@dataclass
class PreparedClip:
    """A clip with all its faces.

    Attributes:
        path: the clip.
        size: (width, height) in pixels.
        frames: number of frames.
        faces: by frame: all faces, annotated or detected.
        truth: by frame: annotated faces, as (track, box).
        gaps: by track: the frames in which it is visible.
    """

    path: Path
    size: tuple[int, int]
    frames: int
    faces: dict[int, list[Face]]
    truth: dict[int, list[tuple[int, Box]]]
    gaps: dict[int, range]

    def hidden(self, frame: int, with_gaps: bool) -> list[Face]:
        """Return the faces to hide in a frame."""
        return [
            face
            for face in self.faces[frame]
            if not (with_gaps and frame in self.gaps.get(face.track_id, ()))
        ]

    def hidden_areas(self, frame: int, with_gaps: bool) -> list[Box]:
        """Return the boxes whose ellipses are hidden in a frame."""
        return [face.box.padded(PADDING) for face in self.hidden(frame, with_gaps)]

    def tracks(self, with_gaps: bool) -> Tracks:
        """Return what is hidden as tracks."""
        builder = TracksBuilder()
        for frame in range(self.frames):
            for face in self.hidden(frame, with_gaps):
                builder.add(frame, face)
        times = np.arange(self.frames, dtype=np.int64)
        return Tracks(self.size, Fraction(1, 25), times, (), builder.tracks())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--face", type=Path, help="folder with weights")
    parser.add_argument("--clips", type=Path, help="folder with annotated clips")
    parser.add_argument("--frames", type=int, default=40, help="frames of each clip")
    parser.add_argument("--only", help="name of the only clip to use")
    parser.add_argument("--evidence", default="pixels,tracks,detail", help="kinds of evidence")
    parser.add_argument("--outputs", action="store_true", help="judge real outputs instead")
    parser.add_argument("--every", type=int, default=2, help="--outputs: search every Nth frame")
    parser.add_argument("--sheets", type=Path, help="--outputs: folder for images of all places")
    parser.add_argument("--careful", action="store_true", help="--outputs: of careful runs")
    arguments = parser.parse_args()
    settings = Settings(models_folder=arguments.face, careful=arguments.careful)
    if arguments.outputs:
        _outputs(arguments, settings)
        return
    verifier = Verifier(settings)
    print("| clip | method | evidence | shown | found | false | elsewhere | frames a second |")
    print("|---|---|---|---|---|---|---|---|")
    paths = [SAMPLE]
    if arguments.clips is not None:
        paths += [arguments.clips / f"{name}.mp4" for name in CLIPS]
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            if arguments.only not in (None, path.stem):
                continue
            cut = Path(folder, path.name)
            _write(path, cut, Settings(), lambda frame: [], arguments.frames)
            clip = _prepare(cut, path.with_suffix(".csv"), settings)
            for method in METHODS:
                kinds = arguments.evidence.split(",")
                for row in _rows(clip, method, verifier, Path(folder), kinds):
                    print(f"| {path.stem} | {method} | {row} |", flush=True)


def _outputs(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print the table of real outputs with planted leaks."""
    folder: Path = arguments.clips
    verifier = Verifier(settings)
    clips = sorted([*folder.glob("*.m??"), *folder.glob("hard/*.mp4")])
    total = verification_outputs.Count()
    print(f"| clip | {' | '.join(verification_outputs.HEADINGS)} |")
    print("|---" * (len(verification_outputs.HEADINGS) + 1) + "|")
    with tempfile.TemporaryDirectory() as temporary:
        for clip in clips:
            if arguments.only not in (None, clip.stem):
                continue
            sheets: Path | None = arguments.sheets
            counted = verification_outputs.count(
                clip,
                verification_outputs.truth_of(clip, Path(__file__).parent / "hard_clips"),
                settings,
                verifier,
                Path(temporary),
                frames=arguments.frames,
                every=arguments.every,
                sheet=None if sheets is None else sheets / f"{clip.stem}.png",
            )
            total.add(counted)
            print(f"| {clip.stem} | {counted.row()} |", flush=True)
    print(f"| all | {total.row()} |")


def _prepare(path: Path, truth_path: Path, settings: Settings) -> PreparedClip:
    truth: dict[int, list[tuple[int, Box]]] = defaultdict(list)
    with truth_path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            box = Box.from_xywh(*(float(row[name]) for name in "xywh"))
            truth[int(row["frame"])].append((int(row["track"]), box))
    faces: dict[int, list[Face]] = defaultdict(list)
    others = itertools.count(1_000_000)
    probes = load_probes(settings, Weights(settings.models_folder), VerificationParameters())
    with VideoReader(path) as video:
        for frame in video:
            image = frame.view(frame.size)
            detections = [
                detection for probe in probes for detection in probe.detect(image, Fraction(1))
            ]
            known = truth[frame.index]
            boxes = [*known]
            for detection in detections:
                near = max(known, key=lambda each: each[1].iou(detection.box), default=None)
                is_known = near is not None and near[1].iou(detection.box) > 0.2
                boxes.append((near[0] if near and is_known else next(others), detection.box))
            faces[frame.index] = [Face(track, box, 1.0, Origin.DETECTED) for track, box in boxes]
            size, count = frame.size, frame.index + 1
    ids = sorted({track for frame in range(count) for track, _ in truth[frame]})
    starts = {track: 3 + 7 * at % max(1, count - GAP_FRAMES) for at, track in enumerate(ids)}
    gaps = {track: range(start, start + GAP_FRAMES) for track, start in starts.items()}
    return PreparedClip(path, size, count, faces, truth, gaps)


def _rows(
    clip: PreparedClip, method: str, verifier: Verifier, folder: Path, kinds: list[str]
) -> list[str]:
    settings = Settings(method=method, overwrite=True)
    outputs = {}
    for with_gaps in (False, True):
        target = folder / f"{method}-{with_gaps}.mp4"

        def hidden(frame: int, with_gaps: bool = with_gaps) -> list[Face]:
            return clip.hidden(frame, with_gaps)

        _write(clip.path, target, settings, hidden, clip.frames)
        outputs[with_gaps] = target
    rows = []
    for evidence in kinds:
        verdicts = [
            verifier.verify(
                output,
                source=clip.path if evidence == "pixels" else None,
                tracks=clip.tracks(with_gaps) if evidence == "tracks" else None,
            )
            for with_gaps, output in outputs.items()
        ]
        shown, found = _found(clip, verdicts[1])
        unhidden = [
            unhidden_share(box, clip.hidden_areas(frame, False))
            for frame, box in _boxes(verdicts[0])
        ]
        false = sum(share <= 0.3 for share in unhidden)
        speed = sum(verdict.frames for verdict in verdicts) / sum(
            verdict.seconds for verdict in verdicts
        )
        rows.append(
            f"{evidence} | {shown} | {found} | {false} | {len(unhidden) - false} | {speed:.1f}"
        )
    return rows


def _found(clip: PreparedClip, verdict: Verdict) -> tuple[int, int]:
    reported = list(_boxes(verdict))
    shown = [
        (frame, box)
        for frame in range(clip.frames)
        for track, box in clip.truth[frame]
        if frame in clip.gaps[track]
        and box.size >= MIN_FACE_PX
        and unhidden_share(box, clip.hidden_areas(frame, True)) >= 0.7
    ]
    found = sum(
        any(frame == other and box.iou(place) > 0.3 for other, place in reported)
        for frame, box in shown
    )
    return len(shown), found


def _runs(verdict: Verdict) -> tuple[ExposureRun, ...]:
    return verdict.places


def _boxes(verdict: Verdict) -> list[tuple[int, Box]]:
    return [(face.frame, face.box) for run in _runs(verdict) for face in run.exposures]


def _write(
    source: Path,
    target: Path,
    settings: Settings,
    hidden: Callable[[int], list[Face]],
    frames: int,
) -> None:
    redactor = FrameRedactor(settings)
    with VideoReader(source) as video, VideoWriter(target, source, video, settings) as sink:
        for frame in itertools.islice(video, frames):
            sink.write(redactor.redact(frame, hidden(frame.index)))


if __name__ == "__main__":
    main()
