"""HiddenShare: how much of the frame what is hidden covers, and whether that is too much."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracker_blur.core.box import Box
    from tracker_blur.core.tracks import Face, Tracks

_CELLS = 64  # of a side of the frame; boxes overlap, so that their areas cannot be added
_MOST = {"face": 0.5, "plate": 0.2}  # a close-up is mostly face; a plate is never so large
_SAMPLED_FRAMES = 500  # of a whole video: enough for an average
_ADVICE = {
    "face": "look at the result; remove what is no face with 'trackblur review'",
    "plate": "many may be none: look at the result; leave plates out of --hide, or remove the "
    "false ones with 'trackblur review'",
}


class HiddenShare:
    """Averages the share of the frame that boxes of each class cover, over the frames of a run."""

    def __init__(self) -> None:
        self._frames = 0
        self._sums: defaultdict[str, float] = defaultdict(float)

    def add(self, faces: Iterable[Face], size: tuple[int, int]) -> None:
        """Add a frame in which these are hidden; `size` is its (width, height) in pixels."""
        self._add(((face.label, face.box) for face in faces), size)

    def add_tracks(self, tracks: Tracks) -> None:
        """Add a whole video in which these tracks are hidden: some of its frames, evenly."""
        step = 1 + tracks.frame_count // _SAMPLED_FRAMES
        boxes: defaultdict[int, list[tuple[str, Box]]] = defaultdict(list)
        for track in tracks.tracks:
            for row in np.flatnonzero(track.frames % step == 0).tolist():
                boxes[int(track.frames[row])].append((track.label, track.box(row)))
        for frame in range(0, tracks.frame_count, step):
            self._add(boxes.get(frame, ()), tracks.size)

    def warnings(self, target: str) -> tuple[str, ...]:
        """Return what to say of an output of this name, where too much of it is covered."""
        shares = {label: total / max(1, self._frames) for label, total in self._sums.items()}
        return tuple(
            f"{target}: {label}s cover {100 * share:.0f} % of the frame on average: "
            f"{_ADVICE[label]}"
            for label, share in sorted(shares.items())
            if share > _MOST[label]
        )

    def _add(self, boxes: Iterable[tuple[str, Box]], size: tuple[int, int]) -> None:
        self._frames += 1
        covered: dict[str, np.ndarray[tuple[int, int], np.dtype[np.bool_]]] = {}
        for label, box in boxes:
            if label not in _MOST:  # a zone, or a class whose sizes are not known
                continue
            if label not in covered:
                covered[label] = np.zeros((_CELLS, _CELLS), np.bool_)
            left, right = (_cell(x, size[0]) for x in (box.left, box.right))
            top, bottom = (_cell(y, size[1]) for y in (box.top, box.bottom))
            covered[label][top:bottom, left:right] = True
        for label, cells in covered.items():
            self._sums[label] += float(cells.mean())


def _cell(position: float, length: int) -> int:
    return min(_CELLS, max(0, round(position / length * _CELLS)))
