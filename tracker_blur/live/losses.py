"""Which faces were lost without an explanation: they may still be there, elsewhere."""

from __future__ import annotations

from tracker_blur.boxes import Box
from tracker_blur.cuts import Change
from tracker_blur.follow import Step
from tracker_blur.tracks import Face, Origin

_SURE_FINDS = 5  # a face that was surely found so often was one
_BORDER_SIZES = 0.5  # a face so near to the border, in its own sizes, may have left the picture
_BEHIND_SHARE = 0.3  # of its box: a face of which others hide so much may be behind them


class Losses:
    """Watches the steps of a follower.

    confidence  the score from which a find is sure
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self._sure_finds: dict[int, int] = {}

    def step(self, step: Step, size: tuple[int, int]) -> frozenset[int]:
        """Return the identifiers of faces lost in this frame; `size` (width, height) of its view.

        A face that left over the border, went behind another, or was lost by a cut is explained.
        """
        if step.change is Change.CUT:
            self._sure_finds.clear()
        known = {face.track_id: self._sure_finds.get(face.track_id, 0) for face in step.faces}
        for face in step.faces:
            if face.origin is Origin.DETECTED and face.score >= self._confidence:
                known[face.track_id] += 1
        self._sure_finds = known
        seen = [face.box for face in step.faces if face.origin is not Origin.HELD]
        return frozenset(
            face.track_id
            for face in step.faces
            if face.origin is Origin.HELD
            and known[face.track_id] >= _SURE_FINDS
            and not _is_at_border(face, size)
            and not _is_behind(face.box, seen)
        )


def _is_at_border(face: Face, size: tuple[int, int]) -> bool:
    reach = _BORDER_SIZES * face.box.size
    left, top, right, bottom = face.box.as_tuple()
    return min(left, top, size[0] - right, size[1] - bottom) < reach


def _is_behind(box: Box, others: list[Box]) -> bool:
    return any(other.intersection_area(box) > _BEHIND_SHARE * box.area for other in others)
