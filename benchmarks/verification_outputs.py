"""Real outputs with planted leaks: what `trackblur verify` says about them, judged by annotations.

benchmarks/verification.py --outputs runs this. Each clip is cut, hidden by a default run, and
rendered again with up to three leaks: all that hides an annotated face is left out in five frames.
The output is verified against the cut clip. A place is

- planted, if it is one of the leaks: found as exposed, found as "look here", or missed;
- a face, if it overlaps an annotated face that the run itself left open;
- a head, if it overlaps an annotated head that no one could recognize, as from behind;
- nothing: a false alarm.

So the precision of *exposed* is the share of faces and leaks among the exposed places. Heads count
as wrong.
"""

from __future__ import annotations

import csv
import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from key_frames import HEAD, Annotation, read_key_frames

from tracker_blur.core.box import Box
from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.settings import Settings
    from tracker_blur.verification.exposures import ExposureRun
    from tracker_blur.verification.verdict import Verdict
    from tracker_blur.verification.verifier import Verifier

LEAK_FRAMES, MAX_LEAKS, MIN_FACE_PX = 5, 3, 16
SAME_IOU = 0.15
PLANTED, FACE, NOTHING = "planted", "face", "nothing"
MISSED = "missed"


@dataclass(frozen=True)
class Leak:
    """An annotated face that is left open in some frames."""

    frames: range
    boxes: dict[int, Box]


@dataclass
class Count:
    """What verification said about one output or several.

    Attributes:
        places: how many places of each kind there are, by (finding, kind).
        leaks: how many leaks were found as what, or missed.
    """

    places: Counter[tuple[str, str]] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)

    def add(self, other: Count) -> None:
        """Add what was said about another output."""
        self.places += other.places
        self.leaks += other.leaks

    def row(self) -> str:
        """Return the cells of a table."""
        exposed = {kind: self.places["exposed", kind] for kind in (PLANTED, FACE, HEAD, NOTHING)}
        looks = {kind: self.places["look here", kind] for kind in (PLANTED, FACE, HEAD, NOTHING)}
        total = sum(exposed.values())
        right = exposed[PLANTED] + exposed[FACE]
        precision = f"{100 * right / total:.0f} %" if total else "-"
        leaks = sum(self.leaks.values())
        found = leaks - self.leaks[MISSED]
        share = f" ({100 * found / leaks:.0f} %)" if leaks else ""
        cells = [
            f"{exposed[PLANTED]} + {exposed[FACE]}",
            f"{exposed[HEAD]} + {exposed[NOTHING]}",
            precision,
            f"{looks[PLANTED] + looks[FACE]} / {looks[HEAD]} / {looks[NOTHING]}",
            str(leaks),
            f"{self.leaks['exposed']} + {self.leaks['look here']}{share}",
        ]
        return " | ".join(cells)


HEADINGS = (
    "exposed: leaks + faces",
    "exposed: heads + nothing",
    "precision",
    "look here: faces / heads / nothing",
    "leaks",
    "found: exposed + look here",
)


def truth_of(clip: Path, hard: Path) -> list[Annotation]:
    """Return the annotations of a clip: next to it, or those of a hard clip."""
    table = clip.with_suffix(".csv")
    if not table.exists():
        return read_key_frames(hard / table.name)
    with table.open(newline="", encoding="utf-8") as rows:
        return [
            Annotation(
                int(row["frame"]), row["track"], *(float(row[name]) for name in "xywh"), "face"
            )
            for row in csv.DictReader(rows)
        ]


def count(
    clip: Path,
    truth: Sequence[Annotation],
    settings: Settings,
    verifier: Verifier,
    folder: Path,
    *,
    frames: int,
    every: int,
    sheet: Path | None = None,
) -> Count:
    """Run, plant leaks, verify and judge one clip.

    Args:
        clip: the clip.
        truth: its annotations.
        settings: those of the run.
        verifier: of the same settings.
        folder: for temporary files.
        frames: how many frames of the clip are used.
        every: every how many frames verification searches.
        sheet: an image to write, with all places.
    """
    cut, hidden, leaky = (folder / f"{name}-{clip.stem}.mp4" for name in ("cut", "hidden", "leaky"))
    redactor = FrameRedactor(settings)
    plain = replace(settings, quality=16.0, audio="drop", subtitles="drop", overwrite=True)
    with VideoReader(clip) as video, VideoWriter(cut, clip, video, plain) as sink:
        for frame in itertools.islice(video, frames):
            sink.write(redactor.redact(frame, []))
    engine = Engine(replace(settings, overwrite=True))
    tracks = engine.redact_file(Job(cut, hidden, "video")).video_tracks
    assert tracks is not None
    leaks = _leaks(truth, min(frames, tracks.frame_count))
    Engine(replace(settings, overwrite=True)).render_file(
        Job(cut, leaky, "video"), _with_leaks(tracks, leaks)
    )
    verdict = verifier.verify(leaky, source=cut, every=every)
    result = _judged(verdict, truth, leaks)
    if sheet is not None:
        _write_sheet(sheet, verdict, truth, leaks)
    return result


def _leaks(truth: Iterable[Annotation], frames: int) -> list[Leak]:
    """Return leaks of different faces at different times, in the middle of their tracks."""
    boxes: defaultdict[str, dict[int, Box]] = defaultdict(dict)
    for face in truth:
        if face.is_face and face.frame < frames and min(face.w, face.h) >= MIN_FACE_PX:
            boxes[face.track][face.frame] = Box.from_xywh(face.x, face.y, face.w, face.h)
    leaks: list[Leak] = []
    taken: set[int] = set()
    for path in sorted(boxes.values(), key=len, reverse=True):
        starts = [
            start
            for start in sorted(path, key=lambda at: abs(at - (min(path) + max(path)) // 2))
            if all(at in path for at in range(start, start + LEAK_FRAMES))
            and not taken.intersection(range(start - LEAK_FRAMES, start + 2 * LEAK_FRAMES))
        ]
        if starts and len(leaks) < MAX_LEAKS:
            window = range(starts[0], starts[0] + LEAK_FRAMES)
            taken.update(window)
            leaks.append(Leak(window, {at: path[at] for at in window}))
    return leaks


def _with_leaks(tracks: Tracks, leaks: Sequence[Leak]) -> Tracks:
    """Return the tracks without the boxes that hide anything of the leaks."""
    hiding = {at: box for leak in leaks for at, box in leak.boxes.items()}

    def cleared(track: Track) -> Track | None:
        stays = [
            at not in hiding or track.box(row).padded(0.4).intersection_area(hiding[at]) == 0
            for row, at in enumerate(track.frames.tolist())
        ]
        return track.rows(np.array(stays))

    kept = (cleared(track) for track in tracks.tracks)
    return replace(tracks, tracks=tuple(track for track in kept if track is not None))


def _judged(verdict: Verdict, truth: Sequence[Annotation], leaks: Sequence[Leak]) -> Count:
    result = Count()
    findings: dict[int, str] = {}
    for place in reversed(verdict.places):  # the exposed ones are last, and count
        kind, leak = _kind(place, truth, leaks)
        result.places[place.finding, kind] += 1
        if leak is not None:
            findings[leak] = place.finding
    result.leaks.update(findings.get(number, MISSED) for number in range(len(leaks)))
    return result


def _kind(
    place: ExposureRun, truth: Sequence[Annotation], leaks: Sequence[Leak]
) -> tuple[str, int | None]:
    for number, leak in enumerate(leaks):
        for seen in place.exposures:
            box = leak.boxes.get(seen.frame)
            if box is not None and _is_same(box, seen.box):
                return PLANTED, number
    kinds = Counter(
        FACE if face.is_face else HEAD
        for seen in place.exposures
        for face in truth
        if face.frame == seen.frame
        and _is_same(Box.from_xywh(face.x, face.y, face.w, face.h), seen.box)
    )
    return (kinds.most_common(1)[0][0] if kinds else NOTHING), None


def _is_same(face: Box, box: Box) -> bool:
    return face.iou(box) >= SAME_IOU


def _write_sheet(
    path: Path, verdict: Verdict, truth: Sequence[Annotation], leaks: Sequence[Leak]
) -> None:
    """Write an image of all places, with what they were reported as and what they are."""
    cells = []
    for place in verdict.places:
        if place.worst.crop is None:
            continue
        image = cv2.imdecode(np.frombuffer(place.worst.crop, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        cell = np.full((190, 180, 3), 255, np.uint8)
        image = image[:160, :180]
        cell[: image.shape[0], : image.shape[1]] = image
        odds = "" if place.log_odds is None else f" {place.log_odds:.1f}"
        text = f"{place.finding[0]}{odds} {_kind(place, truth, leaks)[0]}"
        for line, words in enumerate((text, f"{place.place_id} x{len(place.exposures)}")):
            cv2.putText(cell, words, (2, 172 + 13 * line), 0, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
        cells.append(cell)
    if cells:
        cells += [np.full_like(cells[0], 255)] * (-len(cells) % 7)
        rows = [np.hstack(cells[at : at + 7]) for at in range(0, len(cells), 7)]
        cv2.imwrite(str(path), np.vstack(rows))
