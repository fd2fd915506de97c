"""Whether the frames of two videos are alike: their number, their times, what they show."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.text import counted
from tracker_blur.verification.verdict import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Frame
    from tracker_blur.verification.parameters import VerificationParameters

Gray: TypeAlias = npt.NDArray[np.uint8]
"""Brightness of an upright frame, shape (height, width)."""

CellErrors: TypeAlias = npt.NDArray[np.float32]
"""Mean square difference in each cell of 8 by 8 pixels of a frame, in square levels."""

_CELL_PX = 8
_ROUNDING_SECONDS = 1e-6
_PEAK = 255.0
_MIN_ERROR = 1e-3  # square levels: below that, 78 dB, frames are identical


def cell_errors(before: Gray, after: Gray) -> CellErrors:
    """Return how much each cell of a frame changed."""
    return _cell_means(np.square(cv2.absdiff(before, after).astype(np.float32)))


def have_detail(after: Gray, parameters: VerificationParameters) -> npt.NDArray[np.bool_]:
    """Return which cells of a frame have steps nearly everywhere.

    A blur or one color leaves none, and a mosaic a few: the edges of its blocks.
    """
    levels, least = after.astype(np.int16), parameters.shown_levels
    is_step = np.zeros(after.shape, np.bool_)
    is_step[:, 1:] = np.abs(np.diff(levels, axis=1)) >= least
    is_step[1:] |= np.abs(np.diff(levels, axis=0)) >= least
    means = _cell_means(is_step.astype(np.float32))
    return np.asarray(means >= parameters.shown_step_share, np.bool_)


def _cell_means(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    height, width = values.shape
    size = max(1, width // _CELL_PX), max(1, height // _CELL_PX)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def unhidden_errors(
    errors: CellErrors,
    size: tuple[int, int],
    hidden: Iterable[Box],
    min_share: float,
    shown_cells: npt.NDArray[np.bool_] | None = None,
) -> CellErrors | None:
    """Return the errors of all cells outside of hidden boxes, in a row; None if they are too few.

    Args:
        errors: of the whole frame.
        size: (width, height) of the frame in pixels.
        hidden: boxes that may have changed.
        min_share: share of all cells that must be left.
        shown_cells: those that may be left; None: all.
    """
    rows, columns = errors.shape
    is_outside = np.ones(errors.shape, np.bool_) if shown_cells is None else shown_cells.copy()
    for box in hidden:
        left, top, right, bottom = box.scaled(columns / size[0], rows / size[1]).outward()
        is_outside[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    rest = errors[is_outside]
    return rest if rest.size >= min_share * errors.size else None


class FrameComparison:
    """Collects, frame by frame, how the output compares with the source.

    Attributes:
        after_seconds: presentation times of the output's frames.
        before_seconds: presentation times of the source's frames.
    """

    def __init__(self, parameters: VerificationParameters) -> None:
        self.after_seconds = array("d")
        self.before_seconds = array("d")
        self._parameters = parameters
        self._worst: tuple[float, int] | None = None
        self._compared = 0
        self._total_db = 0.0
        self._different: list[int] = []

    def timed_after(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass on the output's frames and record their times."""
        return _timed(frames, self.after_seconds)

    def timed_before(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass on the source's frames and record their times."""
        return _timed(frames, self.before_seconds)

    def add(
        self,
        index: int,
        errors: CellErrors,
        size: tuple[int, int],
        hidden: Iterable[Box],
        shown_cells: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Record how a frame differs outside of what is hidden.

        Args:
            index: number of the frame.
            errors: of the whole frame.
            size: (width, height) of the frame in pixels.
            hidden: boxes that may have changed.
            shown_cells: the cells that nothing hides; None: these are not known.
        """
        min_share = self._parameters.min_compared_share
        rest = unhidden_errors(errors, size, hidden, min_share, shown_cells)
        if rest is None:
            return
        # More may be hidden than is known here, as around a near face, so the least changed part
        # counts.
        error = max(float(np.quantile(rest, self._parameters.calm_quantile)), _MIN_ERROR)
        psnr = 10 * math.log10(_PEAK**2 / error)
        self._compared += 1
        self._total_db += psnr
        self._worst = min(self._worst or (math.inf, 0), (psnr, index))

    def add_different(self, index: int) -> None:
        """Record a frame that shows something else than the source's frame at its time."""
        self._different.append(index)

    def checks(self, tick_seconds: float) -> tuple[Check, ...]:
        """Return the checks of number, times and content; `tick_seconds` is the output's clock."""
        return self._count(), self._times(tick_seconds), self._likeness()

    def _count(self) -> Check:
        after, before = len(self.after_seconds), len(self.before_seconds)
        text = f"{after}" if after == before else f"{after} instead of {before}"
        return Check("frames", after == before, text)

    def _times(self, tick_seconds: float) -> Check:
        after, before = np.array(self.after_seconds), np.array(self.before_seconds)
        count = min(len(after), len(before))
        offsets = np.abs((after[:count] - after[0]) - (before[:count] - before[0]))
        worst = int(np.argmax(offsets))
        tolerance = max(self._parameters.time_tolerance_seconds, tick_seconds) + _ROUNDING_SECONDS
        passed = bool(offsets[worst] <= tolerance)
        offset = f"{1000 * offsets[worst]:.2f} ms"
        text = f"the same to {offset}" if passed else f"frame {worst} is off by {offset}"
        return Check("times of frames", passed, text)

    def _likeness(self) -> Check:
        name = "pictures"
        if self._different:
            count = len(self._different)
            text = (
                f"{counted(count, 'frame')} {'shows' if count == 1 else 'show'} something else "
                f"than the input, or almost nothing of it; the first is frame {self._different[0]}"
            )
            return Check(name, False, text)
        if self._worst is None:
            return Check(name, True, "all of every frame is hidden: there is nothing to compare")
        psnr, index = self._worst
        text = (
            f"outside of faces {self._total_db / self._compared:.1f} dB on average, "
            f"at least {psnr:.1f} dB (frame {index})"
        )
        return Check(name, psnr >= self._parameters.min_psnr_db, text)


def _timed(frames: Iterable[Frame], seconds: array[float]) -> Iterator[Frame]:
    for frame in frames:
        seconds.append(frame.seconds)
        yield frame
