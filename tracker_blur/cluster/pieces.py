"""Cuts a video into pieces, which are rendered one by one, and spans, which are tracked."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.cluster.parameters import ClusterParameters
    from tracker_blur.video.key_frames import KeyFrameIndex, Part


@dataclass(frozen=True, slots=True)
class Pieces:
    """A video in pieces.

    Attributes:
        parts: The pieces, in order; all frames are in one.
        spans: The pieces with which spans begin, ascending; the first is 0.
    """

    parts: tuple[Part, ...]
    spans: tuple[int, ...]

    @property
    def frame_count(self) -> int:
        """Number of frames of the video."""
        last = self.parts[-1]
        return last.first_frame + last.frame_count

    def at(self, frame: int) -> int:
        """Return the number of the piece that a frame is in."""
        ends = [part.first_frame + part.frame_count for part in self.parts]
        return bisect_left(ends, frame + 1)

    def starting(self, pts: int) -> int:
        """Return the number of the piece whose first frame is shown at this time."""
        return [part.start for part in self.parts].index(pts)


def cut(index: KeyFrameIndex, parameters: ClusterParameters) -> Pieces:
    """Cut a video. A short rest belongs to the piece before it.

    Args:
        index: Its frames, and where it can be cut.
        parameters: How long pieces and spans are.
    """
    seconds = np.asarray((index.times - index.times[0]) * float(index.time_base), np.float64)
    starts = _thinned(seconds, index.cuts, parameters.piece_seconds)
    ends = [*starts[1:], len(index.times)]
    parts = tuple(index.part(start, end) for start, end in zip(starts, ends, strict=True))
    spans = _thinned(seconds, starts, parameters.span_seconds)
    return Pieces(parts, tuple(starts.index(start) for start in spans))


def _thinned(
    seconds: np.ndarray[tuple[int], np.dtype[np.float64]], cuts: Sequence[int], least: float
) -> list[int]:
    """Return the cuts that leave this many seconds between them, and before the end."""
    chosen = [cuts[0]]
    for frame in cuts[1:]:
        if seconds[frame] - seconds[chosen[-1]] >= least and seconds[-1] - seconds[frame] >= (
            least / 2
        ):
            chosen.append(frame)
    return chosen
