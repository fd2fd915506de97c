"""Which faces were lost without an explanation: they may still be there, elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

_SURE_FINDS = 5  # a face that was surely found so often was one
_BORDER_SIZES = 0.2  # a face last seen so near to the border, in its sizes, may have left there
_BEHIND_SHARE = 0.3  # of its box: a face of which others hide so much may be behind them


@dataclass(frozen=True, slots=True)
class _Known:
    """A face that is followed: its sure finds so far, and where it was seen last."""

    sure_finds: int
    box: Box


class Losses:
    """Watches the steps of a follower.

    confidence  the score from which a find is sure
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self._known: dict[int, _Known] = {}
        self._before_cut: dict[int, _Known] = {}
        self._size: tuple[int, int] | None = None

    def step(self, step: Step, size: tuple[int, int]) -> frozenset[int]:
        """Return the identifiers of faces lost in this frame; `size` (width, height) of its view.

        A face that left over the border, went behind another, or was lost by a cut is explained.
        """
        if step.change is Change.CUT:
            self._before_cut, self._known = self._known, {}
        elif step.change is Change.RETURN:  # it was but a flash of light
            self._known |= self._before_cut
        if self._size is not None and size != self._size:
            self._rescale(size[0] / self._size[0], size[1] / self._size[1])
        self._size = size
        self._known = {face.track_id: self._updated(face) for face in step.faces}
        seen = [face.box for face in step.faces if face.origin is not Origin.HELD]
        lost = set()
        for face in step.faces:
            known = self._known[face.track_id]
            if (
                face.origin is Origin.HELD
                and known.sure_finds >= _SURE_FINDS
                and not _is_at_border(known.box, size)
                and not _is_behind(known.box, seen)
            ):
                lost.add(face.track_id)
        return frozenset(lost)

    def _rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Go on in views of another size."""
        self._known, self._before_cut = (
            {
                track_id: _Known(known.sure_finds, known.box.scaled(x_ratio, y_ratio))
                for track_id, known in faces.items()
            }
            for faces in (self._known, self._before_cut)
        )

    def _updated(self, face: Face) -> _Known:
        known = self._known.get(face.track_id, _Known(0, face.box))
        if face.origin is Origin.HELD:
            return known
        is_sure = face.origin is Origin.DETECTED and face.score >= self._confidence
        return _Known(known.sure_finds + is_sure, face.box)


def _is_at_border(box: Box, size: tuple[int, int]) -> bool:
    reach = _BORDER_SIZES * box.size
    left, top, right, bottom = box.as_tuple()
    return min(left, top, size[0] - right, size[1] - bottom) < reach


def _is_behind(box: Box, others: list[Box]) -> bool:
    return any(other.intersection_area(box) > _BEHIND_SHARE * box.area for other in others)
