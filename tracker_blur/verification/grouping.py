"""Groups exposed faces of frames that follow each other, and tells firm from doubtful ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tracker_blur.core.box import Box
from tracker_blur.verification.probes import Find
from tracker_blur.verification.verdict import Exposure, Run

_SAME_FACE_IOU = 0.3
_SAME_PLACE_IOU = 0.5  # one look later, of a face that nothing else speaks for
_LONGEST_GAP = 3  # looks without a find, within one run
_ENOUGH_FIRM = 2  # finds that make a face together
_ENOUGH_STRONG = 2  # finds that leave no doubt of it
_MOST_CROPS = 3  # of a run
_MOST_CROPS_IN_ALL = 1000


@dataclass(slots=True)
class _Open:
    """A run that may go on.

    looked         number of the last look that found it
    firm, strong   finds of these kinds
    is_face        whether it is reported at all
    is_clear       whether one of the finds leaves no doubt
    """

    exposures: list[Exposure] = field(default_factory=list)
    looked: int = 0
    firm: int = 0
    strong: int = 0
    is_face: bool = False
    is_clear: bool = False

    def run(self) -> Run:
        """Return what it is so far."""
        is_firm = self.is_clear or self.strong >= _ENOUGH_STRONG
        return Run(tuple(self.exposures), not is_firm)


class RunBuilder:
    """Takes the exposures of one look after the other.

    A sure find is a face, and so are two firm ones. Others are where the same place was hidden as a
    face one look before or after, and where a track begins or ends.

    No doubt is left of a face with two strong finds, or with one that is clear.
    """

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._done: list[_Open] = []
        self._hidden: Sequence[Box] = ()
        self._looks = 0
        self._crops = 0

    def add(
        self,
        exposures: Iterable[tuple[Find, Exposure]],
        hidden: Sequence[Box],
        awaited: Sequence[Box],
    ) -> None:
        """Take one look's exposures, each with the find that it is.

        hidden   boxes of faces that are hidden in this look
        awaited  where a track ended a moment ago, or will begin: its face may still be there
        """
        self._looks += 1
        for run in self._open:
            if run.looked == self._looks - 1 and _meets(run.exposures[-1].box, hidden):
                run.is_face = True
        for find, exposure in exposures:
            run = self._run_of(exposure)
            run.firm += find.is_firm
            run.strong += find.is_strong
            run.is_clear |= find.is_clear
            run.is_face |= find.is_sure or run.firm >= _ENOUGH_FIRM
            run.is_face |= _meets(exposure.box, (*self._hidden, *awaited))
            run.looked = self._looks
            run.exposures.append(exposure)
            self._thin(run)
        self._hidden = hidden
        ended = [run for run in self._open if run.looked < self._looks - _LONGEST_GAP]
        self._done += (run for run in ended if run.is_face)
        self._open = [run for run in self._open if run not in ended]

    def runs(self) -> tuple[Run, ...]:
        """Return the runs so far, by their first frames."""
        faces = [*self._done, *(run for run in self._open if run.is_face)]
        runs = (run.run() for run in faces)
        return tuple(sorted(runs, key=lambda run: (run.first.frame, run.first.box.left)))

    def _run_of(self, exposure: Exposure) -> _Open:
        free = [run for run in self._open if run.looked < self._looks]
        best = max(free, key=lambda run: run.exposures[-1].box.iou(exposure.box), default=None)
        if best is None or best.exposures[-1].box.iou(exposure.box) < _SAME_FACE_IOU:
            best = _Open()
            self._open.append(best)
        return best

    def _thin(self, run: _Open) -> None:
        """Forget crops that nobody would look at: a long run keeps its start, best and last."""
        newest = run.exposures[-1]
        if newest.crop is None:
            return
        if self._crops >= _MOST_CROPS_IN_ALL:
            run.exposures[-1] = replace(newest, crop=None)
            return
        self._crops += 1
        with_crop = [at for at, exposure in enumerate(run.exposures) if exposure.crop is not None]
        if len(with_crop) > _MOST_CROPS:
            middle = with_crop[1:-1]
            least = min(middle, key=lambda at: run.exposures[at].score)
            run.exposures[least] = replace(run.exposures[least], crop=None)
            self._crops -= 1


def _meets(box: Box, others: Iterable[Box]) -> bool:
    return any(box.iou(other) >= _SAME_PLACE_IOU for other in others)
