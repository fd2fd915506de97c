"""The hard clips: exposed faces by kind of difficulty, and false area, of several detectors.

benchmarks/leaks.py --hard runs this; benchmarks/hard_clips/ has the annotations.

A clip is hidden in plain green, so that what is hidden differs from what was dark or green
before, and from encoding noise. A face is exposed in a frame when less than 85 % of the ellipse in
its box is hidden. False area is the share of the frame that is hidden without a head: outside of
all annotated boxes when these are padded by half the size of a face, or a third of that of a whole
head, on each side, which leaves room for the padding of what is hidden.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt
from key_frames import Annotation, read_key_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

COLOR = "#00ff00"
GREENS = (0, 165, 0), (90, 255, 90)
"""What the plain color may become when it is encoded: lowest and highest values, BGR."""
HIDDEN_SHARE = 0.85
FACE_MARGIN, HEAD_MARGIN = 0.5, 0.3
LARGE_PCT = 10.0
NOTHING = "-"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """What a redacted clip shows.

    Attributes:
        faces: Every annotated face in every frame, and whether it is exposed.
        false_pct: Mean share of the frame that is hidden without a head, in percent.
    """

    faces: tuple[tuple[Annotation, bool], ...]
    false_pct: float


def judge(clip: Path, redacted: Path, annotated: Path) -> Judged:
    """Compare a redacted clip with the clip and its annotations.

    Raises:
        SystemExit: The two videos differ in their number of frames.
    """
    frames: dict[int, list[Annotation]] = defaultdict(list)
    for annotation in read_key_frames(annotated):
        frames[annotation.frame].append(annotation)
    faces: list[tuple[Annotation, bool]] = []
    false: list[float] = []
    pairs = zip(_frames(clip), _frames(redacted), strict=True)
    try:
        for index, (before, after) in enumerate(pairs):
            hidden = _is_green(after) & ~_is_green(before)
            heads = frames[index]
            faces += [(head, _is_exposed(head, hidden)) for head in heads if head.is_face]
            false.append(100 * float((hidden & ~_around(heads, hidden.shape)).mean()))
    except ValueError as error:
        raise SystemExit(f"{redacted}: does not have the frames of {clip}") from error
    return Judged(tuple(faces), statistics.mean(false))


def _frames(video: Path) -> Iterator[npt.NDArray[np.uint8]]:
    with av.open(video) as source:
        source.streams.video[0].thread_type = "AUTO"
        for frame in source.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def _is_green(image: npt.NDArray[np.uint8]) -> Mask:
    return np.asarray(cv2.inRange(image, *GREENS), bool)


def _is_exposed(face: Annotation, hidden: Mask) -> bool:
    mask = np.zeros(hidden.shape, np.uint8)
    center = face.x + face.w / 2, face.y + face.h / 2
    cv2.ellipse(mask, (center, (face.w, face.h), 0), 1, -1)
    inside = mask.astype(bool)
    return bool(inside.any()) and float(hidden[inside].mean()) < HIDDEN_SHARE


def _around(heads: Sequence[Annotation], shape: tuple[int, int]) -> Mask:
    """Return where hiding is not false."""
    mask = np.zeros(shape, bool)
    for head in heads:
        margin = FACE_MARGIN if head.is_face else HEAD_MARGIN
        dx, dy = margin * head.w, margin * head.h
        left, top = max(0, round(head.x - dx)), max(0, round(head.y - dy))
        right, bottom = round(head.x + head.w + dx), round(head.y + head.h + dy)
        mask[top : max(0, bottom), left : max(0, right)] = True
    return mask


def tables(results: Mapping[str, Mapping[str, Judged]]) -> str:
    """Return both tables as Markdown; results by the detector's name, then by the clip's."""
    names = list(results)
    clips = list(results[names[0]])
    faces = {name: [face for clip in clips for face in results[name][clip].faces] for name in names}
    kinds = sorted({kind for face, _ in faces[names[0]] for kind in face.difficulties})
    rows = [["all", *_exposed(faces, lambda _: True)]]
    rows += [[kind, *_exposed(faces, lambda face, kind=kind: kind in face.difficulties)]
             for kind in kinds]  # fmt: skip
    exposed = _markdown(["exposed", "face-frames", *names], rows)
    rows = []
    for clip in clips:
        shown = _exposed({name: list(results[name][clip].faces) for name in names}, lambda _: True)
        areas = [f"{results[name][clip].false_pct:.1f} %" for name in names]
        rows.append([clip, *areas, *shown[1:]])
    areas = {name: [results[name][clip].false_pct for clip in clips] for name in names}
    blank = [""] * len(names)
    rows.append(["mean", *(f"{statistics.mean(areas[name]):.1f} %" for name in names), *blank])
    many = [str(sum(area >= LARGE_PCT for area in areas[name])) for name in names]
    rows.append([f"clips with {LARGE_PCT:.0f} % or more", *many, *blank])
    head = [
        "clip",
        *(f"{name}: false area" for name in names),
        *(f"{name}: exposed" for name in names),
    ]
    return f"{exposed}\n\n{_markdown(head, rows)}"


def _exposed(
    faces: Mapping[str, Sequence[tuple[Annotation, bool]]], holds: Callable[[Annotation], bool]
) -> list[str]:
    """Return the number of face-frames, and how many of them each detector exposes."""
    cells: list[str] = []
    for judged in faces.values():
        chosen = [is_exposed for face, is_exposed in judged if holds(face)]
        if not cells:
            cells.append(str(len(chosen)))
        share = f"{100 * sum(chosen) / len(chosen):.1f} % ({sum(chosen)})" if chosen else NOTHING
        cells.append(share)
    return cells


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
