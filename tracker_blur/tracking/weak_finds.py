"""Weak finds that confirm no face: one alone is none, several looks in a row that agree are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tracker_blur.core.box import Detection
from tracker_blur.tracking.association import pair
from tracker_blur.tracking.track_state import GATE_SIZES, WEAK

AGREEING_LOOKS = 4  # a weak find in so many looks in a row, in one place, is a face
AGREEING_SHARE = 0.8  # of the confidence, that each of them has at least


class WeakFinds:
    """Remembers the weak finds of the last look, and in how many looks so far each was made.

    confidence  the score from which a find is a face
    """

    def __init__(self, confidence: float) -> None:
        self._lowest = AGREEING_SHARE * confidence
        self._counted: list[tuple[Detection, int]] = []

    def agreed(self, stray: Sequence[Detection]) -> list[Detection]:
        """Return those of this look's finds that several looks in a row have made in one place."""
        weak = [find for find in stray if find.score >= self._lowest]
        before = {
            column: self._counted[row][1]
            for row, column in pair(
                [find.box for find, _ in self._counted],
                [find.box for find in weak],
                [WEAK.gate_share * GATE_SIZES] * len(self._counted),
                WEAK.size_ratio,
            )
        }
        counted = [(find, 1 + before.get(index, 0)) for index, find in enumerate(weak)]
        self._counted = [(find, looks) for find, looks in counted if looks < AGREEING_LOOKS]
        return [find for find, looks in counted if looks >= AGREEING_LOOKS]

    def rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Go on in views of another size."""
        self._counted = [
            (replace(find, box=find.box.scaled(x_ratio, y_ratio)), looks)
            for find, looks in self._counted
        ]

    def forget(self) -> None:
        """Begin anew: another scene."""
        self._counted = []
