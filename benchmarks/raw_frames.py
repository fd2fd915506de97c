"""Judges frames that left a live session: hidden, wholly hidden, or raw.

A face is hidden where at least half of the ellipse in its true box is near black: the session must
fill faces with solid black. What is neither black there nor like that face is a damaged picture,
its number newer than the rest: then no face of the clip may be seen anywhere where it ever was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import time_codes
from numbered import Numbered
from scene import TrueFace

DARK = 40
RAW_SHARE = 0.5  # a face of which less is dark was not hidden at all, or elsewhere
ALIKE = 0.8  # correlation from which a part of a picture shows the same as another
UNLIKE = 0.3  # and below which it does not; what is partly hidden, or coded poorly, lies between
_PATCH_PX = 16
_EDGE = 12  # levels between neighbours
_EDGE_SHARE = 0.04  # of all pixels; a mosaic of few blocks has no more edges

Luma = npt.NDArray[np.uint8]


@dataclass
class Verdicts:
    """What was found.

    counts  of frames: "hidden", "cover", "unknown" (neither a cover nor with a number to read, and
            no face of the clip in it), "raw"
    raw     the raw ones: where they were, what they were
    """

    counts: Counter[str] = field(default_factory=Counter)
    raw: list[str] = field(default_factory=list)


class Judge:
    """Knows a clip; judges pictures of any size that has its proportions."""

    def __init__(self, frames: Sequence[Numbered]) -> None:
        self._frames = frames
        self._patches = [
            (face, _patch(frame.luma, face, 1.0)) for frame in frames for face in frame.faces
        ]

    def judge(self, luma: Luma) -> tuple[str, str]:
        """Return the verdict on a picture, and a note on it if it is raw."""
        number = time_codes.read(luma)
        if number is None or number >= len(self._frames):
            return self._judge_unnumbered(luma)
        frame = self._frames[number]
        ratio = luma.shape[1] / frame.luma.shape[1]
        shown = [(face, hidden_share(luma, face, ratio)) for face in frame.faces]
        shown = [(face, share) for face, share in shown if share < RAW_SHARE]
        for face, share in shown:
            alike = _likeness(luma, frame.luma, face, ratio)
            if alike > UNLIKE:
                note = f"{share:.0%} hidden, correlation {alike:.2f}"
                return "raw", f"frame {number}, face {face.track}: {note}"
        return self._judge_unnumbered(luma) if shown else ("hidden", "")

    def _judge_unnumbered(self, luma: Luma) -> tuple[str, str]:
        if is_mosaic(luma):
            return "cover", ""
        ratio = luma.shape[1] / self._frames[0].luma.shape[1]
        for face, patch in self._patches:
            if float((_patch(luma, face, ratio) * patch).mean()) > ALIKE:
                return "raw", f"no number, but it shows face {face.track}"
        return "unknown", ""

    def judge_file(self, path: Path, verdicts: Verdicts) -> None:
        """Judge all frames of a file, which may have no end."""
        for index, luma in enumerate(lumas(path)):
            verdict, note = self.judge(luma)
            verdicts.counts[verdict] += 1
            if note:
                verdicts.raw.append(f"{path.name} picture {index}: {note}")


def lumas(path: Path) -> Iterator[Luma]:
    """Give the luma planes of a file that may be cut short."""
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError):  # nothing, or no whole frame, came into it
        return
    with container:
        packets = container.demux(video=0)
        while True:
            try:
                packet = next(packets)
                frames = packet.decode()
            except (StopIteration, av.EOFError):
                return
            except av.FFmpegError:
                continue
            for frame in frames:
                plane = np.frombuffer(frame.planes[0], np.uint8)
                yield plane.reshape(-1, frame.planes[0].line_size)[: frame.height, : frame.width]


def hidden_share(luma: Luma, face: TrueFace, ratio: float) -> float:
    """Return how much of the ellipse in a face's box is dark, in a picture larger by a ratio."""
    part, mask = _ellipse(luma, face, ratio)
    return float((part < DARK)[mask].mean()) if mask.any() else 1.0


def _likeness(luma: Luma, true: Luma, face: TrueFace, ratio: float) -> float:
    """Return the correlation of what is not dark in a face's ellipse with the face itself."""
    original, mask = _ellipse(true, face, 1.0)
    part = cv2.resize(_ellipse(luma, face, ratio)[0], original.shape[::-1])
    mask &= part >= DARK
    if part[mask].std() < 1 or original[mask].std() < 1:
        return 0.0
    return float(np.corrcoef(part[mask], original[mask])[0, 1])


def _ellipse(luma: Luma, face: TrueFace, ratio: float) -> tuple[Luma, npt.NDArray[np.bool_]]:
    """Return what is in a face's box, in a picture larger by a ratio, and the face's ellipse."""
    left, top = max(0, int(face.x * ratio)), max(0, int(face.y * ratio))
    part = luma[top : int((face.y + face.height) * ratio) + 1,
                left : int((face.x + face.width) * ratio) + 1]  # fmt: skip
    center = (face.x + face.width / 2) * ratio - left, (face.y + face.height / 2) * ratio - top
    mask = np.zeros(part.shape, np.uint8)
    cv2.ellipse(mask, (center, (face.width * ratio, face.height * ratio), 0), 1, -1)
    return part, mask.astype(bool)


def _patch(luma: Luma, face: TrueFace, ratio: float) -> npt.NDArray[np.float32]:
    """Return what is in a face's box, small, with mean 0 and deviation 1; 0 where it is flat."""
    left, top = max(0, int(face.x * ratio)), max(0, int(face.y * ratio))
    part = luma[top : int((face.y + face.height) * ratio) + 1,
                left : int((face.x + face.width) * ratio) + 1]  # fmt: skip
    small = cv2.resize(part, (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA)
    patch = small.astype(np.float32) - float(small.mean())
    deviation = float(patch.std())
    return patch / deviation if deviation > 5 else np.zeros_like(patch)


def is_mosaic(luma: Luma) -> bool:
    """Return whether a picture is of few blocks."""
    samples = luma.astype(np.int16)
    edges = np.abs(np.diff(samples, axis=1))[1:] > _EDGE
    edges |= np.abs(np.diff(samples, axis=0))[:, 1:] > _EDGE
    return float(edges.mean()) < _EDGE_SHARE
