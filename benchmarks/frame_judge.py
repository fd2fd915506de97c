"""Judges frames that left a live session: faces hidden, fully hidden, or raw.

The session must fill faces with solid black. A face is hidden if at least half of the ellipse in
its true box is near black. A frame that is neither black there nor shows that face is damaged: its
number belongs to a later frame. Then no face of the clip may be seen at any place where one was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import cv2
import frame_numbers
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numbered_clips import NumberedFrame
    from scene import TrueFace

DARK = 40
EXPOSED_RATIO = 0.5  # a face of which less is dark was not hidden, or hidden elsewhere
ALIKE = 0.8  # correlation above which two parts of frames show the same
UNLIKE = 0.3  # and below which they do not; between are partly hidden and poorly coded ones
_PATCH_PX = 16
_EDGE = 12  # levels between neighbors
_EDGE_RATIO = 0.04  # of all pixels; a coarse mosaic has no more edges

Luma = npt.NDArray[np.uint8]


@dataclass
class JudgeResults:
    """The verdicts on all frames.

    Attributes:
        counts: Frames by verdict: "hidden", "blank" (fully hidden), "unknown" (no number and no
            face of the clip), "raw".
        raw: A line for each raw frame.
    """

    counts: Counter[str] = field(default_factory=Counter)
    raw: list[str] = field(default_factory=list)


class FrameJudge:
    """Judges frames of a known clip, at any size with its aspect ratio."""

    def __init__(self, frames: Sequence[NumberedFrame]) -> None:
        self._frames = frames
        self._patches = [
            (face, _patch(frame.luma, face, 1.0)) for frame in frames for face in frame.faces
        ]

    def judge(self, luma: Luma) -> tuple[str, str]:
        """Return the verdict on a frame, and a line on it if it is raw."""
        number = frame_numbers.read(luma)
        if number is None or number >= len(self._frames):
            return self._judge_unnumbered(luma)
        frame = self._frames[number]
        ratio = luma.shape[1] / frame.luma.shape[1]
        ratios = [(face, hidden_ratio(luma, face, ratio)) for face in frame.faces]
        shown = [(face, hidden) for face, hidden in ratios if hidden < EXPOSED_RATIO]
        for face, hidden in shown:
            similarity = _likeness(luma, frame.luma, face, ratio)
            if similarity > UNLIKE:
                note = f"{hidden:.0%} hidden, correlation {similarity:.2f}"
                return "raw", f"frame {number}, face {face.track}: {note}"
        return self._judge_unnumbered(luma) if shown else ("hidden", "")

    def _judge_unnumbered(self, luma: Luma) -> tuple[str, str]:
        if is_mosaic(luma):
            return "blank", ""
        ratio = luma.shape[1] / self._frames[0].luma.shape[1]
        for face, patch in self._patches:
            if float((_patch(luma, face, ratio) * patch).mean()) > ALIKE:
                return "raw", f"no number, but it shows face {face.track}"
        return "unknown", ""

    def judge_file(self, path: Path, verdicts: JudgeResults) -> None:
        """Judge all frames of a file, which may be truncated."""
        for index, luma in enumerate(lumas(path)):
            verdict, note = self.judge(luma)
            verdicts.counts[verdict] += 1
            if note:
                verdicts.raw.append(f"{path.name} frame {index}: {note}")


def lumas(path: Path) -> Iterator[Luma]:
    """Yield the luma planes of a file that may be truncated."""
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError):  # it has no complete frame
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


def hidden_ratio(luma: Luma, face: TrueFace, ratio: float) -> float:
    """Return how much of the ellipse in a face's box is dark, in a frame scaled by a ratio."""
    part, mask = _ellipse(luma, face, ratio)
    return float((part < DARK)[mask].mean()) if mask.any() else 1.0


def _likeness(luma: Luma, true: Luma, face: TrueFace, ratio: float) -> float:
    """Return the correlation of the bright part of a face's ellipse with the true face."""
    original, mask = _ellipse(true, face, 1.0)
    part = cv2.resize(_ellipse(luma, face, ratio)[0], original.shape[::-1])
    mask &= part >= DARK
    if part[mask].std() < 1 or original[mask].std() < 1:
        return 0.0
    return float(np.corrcoef(part[mask], original[mask])[0, 1])


def _ellipse(luma: Luma, face: TrueFace, ratio: float) -> tuple[Luma, npt.NDArray[np.bool_]]:
    """Return the crop of a face's box in a frame scaled by a ratio, and its ellipse's mask."""
    left, top = max(0, int(face.x * ratio)), max(0, int(face.y * ratio))
    part = luma[top : int((face.y + face.height) * ratio) + 1,
                left : int((face.x + face.width) * ratio) + 1]  # fmt: skip
    center = (face.x + face.width / 2) * ratio - left, (face.y + face.height / 2) * ratio - top
    mask = np.zeros(part.shape, np.uint8)
    cv2.ellipse(mask, (center, (face.width * ratio, face.height * ratio), 0), 1, -1)
    return part, mask.astype(bool)


def _patch(luma: Luma, face: TrueFace, ratio: float) -> npt.NDArray[np.float32]:
    """Return the crop of a face's box, small, with mean 0 and deviation 1; zeros if it is flat."""
    left, top = max(0, int(face.x * ratio)), max(0, int(face.y * ratio))
    part = luma[top : int((face.y + face.height) * ratio) + 1,
                left : int((face.x + face.width) * ratio) + 1]  # fmt: skip
    small = cv2.resize(part, (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA)
    patch = small.astype(np.float32) - float(small.mean())
    deviation = float(patch.std())
    return patch / deviation if deviation > 5 else np.zeros_like(patch)


def is_mosaic(luma: Luma) -> bool:
    """Return whether a frame is a coarse mosaic."""
    samples = luma.astype(np.int16)
    edges = np.abs(np.diff(samples, axis=1))[1:] > _EDGE
    edges |= np.abs(np.diff(samples, axis=0))[:, 1:] > _EDGE
    return float(edges.mean()) < _EDGE_RATIO
