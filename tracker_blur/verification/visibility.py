"""What can still be seen of a face: measures on pixels, free of detectors and files.

A detector is no judge of that: YuNet gives blurred heads 0.6 and more. So a place is judged by its
pixels, at a size of its own: every face is brought to the same number of pixels, and detail means
what is finer than an eighth of a face's width.

Notes how two videos' pictures compare while they are looked at: number, times, likeness.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame
from tracker_blur.verification.verdict import Check

Gray: TypeAlias = npt.NDArray[np.uint8]
"""Brightness of an upright picture, shape (height, width)."""

Patch: TypeAlias = npt.NDArray[np.float32]
"""A face's box, brought to PATCH_PX by PATCH_PX pixels."""

PATCH_PX = 48
SMALLEST_PX = 8  # a face's shorter side; below that, there is nothing to judge
_CELL_PX = 8  # of the whole picture, where its noise is looked for
_MARGIN_PX = 8  # around a face, so that scaling knows its neighbors
_FINE_PX = 3.0  # of a patch: half the width of what counts as detail
_COARSE_PX = 8.0
_KEPT_ENERGY = 0.4  # a difference of this share of the detail's own energy: another picture
_NOISE_QUANTILE = 0.2  # faces may fill most of a picture: its calmest part tells the noise
_MOST_NOISE = 6.0  # square levels; more is no encoder but a change
_CORE_INSET = -0.15  # of a face's box: eyes, nose and mouth, and nothing beside the head
_LEAST_DETAIL = 2.0  # levels, root of the mean square
_LEAST_FINE_SHARE = 0.03
_FINE_LEVELS = 2.0
_MOST_EDGE_SHARE = 0.6
_SAMPLES = 24  # across a box, where shares of an area are counted


def _ellipse(px: int) -> npt.NDArray[np.bool_]:
    centers = (np.arange(px) + 0.5 - px / 2) / (px / 2)
    inside: npt.NDArray[np.bool_] = np.square(centers) + np.square(centers)[:, None] <= 1
    return inside


_ELLIPSE = _ellipse(PATCH_PX)
_SAMPLE_ELLIPSE = _ellipse(_SAMPLES)


def patch(picture: Gray, box: Box) -> Patch | None:
    """Return what a picture shows in a box; None where it is too small or outside of it.

    Beyond the border the picture's last rows and columns are repeated.
    """
    if box.is_empty or min(box.width, box.height) < SMALLEST_PX:
        return None
    height, width = picture.shape
    left, top, right, bottom = box.outward()
    left, top = max(0, left - _MARGIN_PX), max(0, top - _MARGIN_PX)
    right, bottom = min(width, right + _MARGIN_PX), min(height, bottom + _MARGIN_PX)
    if right - left < SMALLEST_PX or bottom - top < SMALLEST_PX:
        return None
    part = picture[top:bottom, left:right]
    shrink = max(1.0, min(box.width, box.height) / PATCH_PX)
    size = max(1, round((right - left) / shrink)), max(1, round((bottom - top) / shrink))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    x_ratio, y_ratio = size[0] / (right - left), size[1] / (bottom - top)
    place = box.moved(-left, -top).scaled(x_ratio, y_ratio)
    across, down = place.width / PATCH_PX, place.height / PATCH_PX
    # Pixels have their centers at halves.
    x, y = place.left + across / 2 - 0.5, place.top + down / 2 - 0.5
    return cv2.warpAffine(
        small.astype(np.float32),
        np.array([[across, 0, x], [0, down, y]]),
        (PATCH_PX, PATCH_PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32, copy=False)


def changes(before: Gray, after: Gray) -> npt.NDArray[np.float32]:
    """Return the mean square difference of each cell of 8x8 pixels, in square levels."""
    square = np.square(cv2.absdiff(before, after).astype(np.float32))
    height, width = before.shape
    size = max(1, width // _CELL_PX), max(1, height // _CELL_PX)
    return np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.float32)


def noise(cells: npt.NDArray[np.float32]) -> float:
    """Return what an encoder alone changed, in square levels, as `changes` tells."""
    return min(float(np.quantile(cells, _NOISE_QUANTILE)), _MOST_NOISE)


def visible_share(before: Patch, after: Patch, noise: float) -> float:
    """Return how much of a face's detail a changed picture still shows, 0 to 1.

    Around each point of the inscribed ellipse the difference of both is compared with what there
    is to be seen before: a change as strong as the detail has replaced it. Points count by their
    detail, so that a bare cheek that no blur can change hides nothing else.

    noise   square levels that an encoder changes where nothing is hidden
    """
    fine_before, fine_after = before - _blurred(before, _FINE_PX), after - _blurred(after, _FINE_PX)
    fine = _blurred(np.square(fine_before), _FINE_PX)
    fine_change = _blurred(np.square(fine_before - fine_after), _FINE_PX)
    coarse = _blurred(np.square(before - _blurred(before, _COARSE_PX)), _COARSE_PX / 2)
    change = _blurred(np.square(before - after), _FINE_PX)
    allowed = 2 * noise
    same = fine_change < _KEPT_ENERGY * fine + allowed
    same &= change < _KEPT_ENERGY * coarse + allowed
    weight = np.sqrt(fine) * _ELLIPSE
    total = float(weight.sum())
    return float(weight[same].sum()) / total if total > 0 else float(same[_ELLIPSE].mean())


def core(box: Box) -> Box:
    """Return the part of a face's box that `shows_detail` is to be given."""
    return box.padded(_CORE_INSET)


def shows_detail(seen: Patch) -> bool:
    """Return whether a patch may be a face as a camera saw it, by itself.

    A blur, a fog and a color have no fine detail; a mosaic has all of it in a few rows and columns.
    A picture laid over a face has detail and cannot be told from one.
    """
    fine = (seen - _blurred(seen, _FINE_PX))[_ELLIPSE]
    finest = np.abs(seen - _blurred(seen, 1.0))[_ELLIPSE]
    return (
        float(np.sqrt(np.square(fine).mean())) >= _LEAST_DETAIL
        and float((finest > _FINE_LEVELS).mean()) >= _LEAST_FINE_SHARE
        and _edge_share(seen) <= _MOST_EDGE_SHARE
    )


def _edge_share(seen: Patch) -> float:
    """Return how much of all steps in brightness lies in the quarter of lines that has most."""
    middle = slice(PATCH_PX // 6, -PATCH_PX // 6)
    across = np.abs(np.diff(seen, axis=1))[middle].mean(axis=0)
    down = np.abs(np.diff(seen, axis=0))[:, middle].mean(axis=1)
    return (_top_quarter(across) + _top_quarter(down)) / 2


def _top_quarter(steps: npt.NDArray[np.float32]) -> float:
    total = float(steps.sum())
    ordered = np.sort(steps)[::-1]
    return float(ordered[: len(ordered) // 4].sum()) / total if total > 0 else 1.0


def uncovered_share(box: Box, hidden: Sequence[Box]) -> float:
    """Return how much of the ellipse in a box lies outside all ellipses in other boxes, 0 to 1."""
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    x = box.left + steps * box.width
    y = (box.top + steps * box.height)[:, None]
    bare = _SAMPLE_ELLIPSE.copy()
    for other in hidden:
        if other.is_empty or other.intersection_area(box) == 0:
            continue
        center_x, center_y = other.center
        across = np.square((x - center_x) / (other.width / 2))
        down = np.square((y - center_y) / (other.height / 2))
        bare &= across + down > 1
    return float(bare.sum()) / float(_SAMPLE_ELLIPSE.sum())


def _blurred(values: npt.NDArray[Any], sigma_px: float) -> Patch:
    blurred = cv2.GaussianBlur(values, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


Cells: TypeAlias = npt.NDArray[np.float32]
"""Mean square differences of all small squares of a picture, in square levels."""

_MILLISECOND = 0.001
_ROUNDING_SECONDS = 1e-6
_LEAST_PSNR = 25.0  # decibels; docs/verification.md has what encoders give
_LEAST_SHARE = 0.1  # of a picture must be left to compare
_CALM_QUANTILE = 0.2
_PEAK = 255.0
_LEAST_ERROR = 1e-3  # square levels: below that, 78 dB, pictures are the same


class FrameComparison:
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
