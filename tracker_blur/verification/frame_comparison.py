"""Notes how two videos' pictures compare while they are looked at: number, times, likeness."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame
from tracker_blur.verification.verdict import Check

Cells: TypeAlias = npt.NDArray[np.float32]
"""Mean square differences of all small squares of a picture, in square levels."""

_MILLISECOND = 0.001
_ROUNDING_SECONDS = 1e-6
_LEAST_PSNR = 25.0  # decibels; docs/verification.md has what encoders give
_LEAST_SHARE = 0.1  # of a picture must be left to compare
_CALM_QUANTILE = 0.2
_PEAK = 255.0
_LEAST_ERROR = 1e-3  # square levels: below that, 78 dB, pictures are the same


class PictureRecord:
    """What is known of both videos' pictures once all of them were seen.

    after_seconds   presentation times of the output's frames
    before_seconds  and of the input's
    """

    def __init__(self) -> None:
        self.after_seconds = array("d")
        self.before_seconds = array("d")
        self._worst: tuple[float, int] | None = None
        self._compared = 0
        self._total = 0.0
        self._different: list[int] = []

    def timed_after(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass on the output's frames and note their times."""
        return _timed(frames, self.after_seconds)

    def timed_before(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass on the input's frames and note their times."""
        return _timed(frames, self.before_seconds)

    def compared(
        self, index: int, cells: Cells, size: tuple[int, int], hidden: Iterable[Box]
    ) -> None:
        """Note how a frame differs outside of what is hidden.

        size    (width, height) in pixels of the whole picture
        hidden  boxes that may have changed
        """
        rest = left_open(cells, size, hidden)
        if rest is None:
            return
        # The calmest part: more may be hidden than is known here, as around a face that is near.
        error = max(float(np.quantile(rest, _CALM_QUANTILE)), _LEAST_ERROR)
        psnr = 10 * math.log10(_PEAK**2 / error)
        self._compared += 1
        self._total += psnr
        self._worst = min(self._worst or (math.inf, 0), (psnr, index))

    def differs(self, index: int) -> None:
        """Note a frame that shows something else than the input's at its time."""
        self._different.append(index)

    def checks(self, tick_seconds: float) -> tuple[Check, ...]:
        """Return what was noted; the output's clock counts in ticks."""
        return self._count(), self._times(tick_seconds), self._likeness()

    def _count(self) -> Check:
        after, before = len(self.after_seconds), len(self.before_seconds)
        text = f"{after}" if after == before else f"{after}, and {before} in the input"
        return Check("frames", after == before, text)

    def _times(self, tick_seconds: float) -> Check:
        after, before = np.array(self.after_seconds), np.array(self.before_seconds)
        count = min(len(after), len(before))
        offsets = np.abs((after[:count] - after[0]) - (before[:count] - before[0]))
        worst = int(np.argmax(offsets))
        passed = bool(offsets[worst] <= max(_MILLISECOND, tick_seconds) + _ROUNDING_SECONDS)
        far = f"{1000 * offsets[worst]:.2f} ms"
        text = f"the same to {far}" if passed else f"frame {worst} is off by {far}"
        return Check("times of frames", passed, text)

    def _likeness(self) -> Check:
        name = "pictures"
        if self._different:
            text = (
                f"{len(self._different)} frames show something else than the input, or hide "
                f"almost all of it, the first of them is frame {self._different[0]}"
            )
            return Check(name, False, text)
        if self._worst is None:
            return Check(name, True, "hidden all over: nothing is left to compare")
        psnr, index = self._worst
        text = (
            f"outside of faces {self._total / self._compared:.1f} dB on average, "
            f"at least {psnr:.1f} dB (frame {index})"
        )
        return Check(name, psnr >= _LEAST_PSNR, text)


def left_open(cells: Cells, size: tuple[int, int], hidden: Iterable[Box]) -> Cells | None:
    """Return the cells outside of what is hidden, in a row; None where they are too few to judge.

    size    (width, height) in pixels of the whole picture
    """
    rows, columns = cells.shape
    is_outside = np.ones(cells.shape, np.bool_)
    for box in hidden:
        left, top, right, bottom = box.scaled(columns / size[0], rows / size[1]).outward()
        is_outside[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    rest = cells[is_outside]
    return rest if rest.size >= _LEAST_SHARE * cells.size else None


def _timed(frames: Iterable[Frame], seconds: array[float]) -> Iterator[Frame]:
    for frame in frames:
        seconds.append(frame.seconds)
        yield frame
