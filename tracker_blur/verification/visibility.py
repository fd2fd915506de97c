"""Evidence on pixels: how much of a face is visible, and whether two videos' frames are alike.

A detector cannot judge that: YuNet scores blurred heads with 0.6 and more. So faces are judged by
their pixels, all resampled to the same size, where detail means what is finer than an eighth of a
face's width.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.verification.verdict import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Frame
    from tracker_blur.verification.parameters import VerificationParameters

Gray: TypeAlias = npt.NDArray[np.uint8]
"""Brightness of an upright frame, shape (height, width)."""

FacePatch: TypeAlias = npt.NDArray[np.float32]
"""Brightness in a face's box, resampled to 48 by 48 points."""

CellErrors: TypeAlias = npt.NDArray[np.float32]
"""Mean square difference in each cell of 8 by 8 pixels of a frame, in square levels."""

_PATCH_POINTS = 48
_CELL_PX = 8
_CROP_MARGIN_PX = 8  # so that resampling a box knows the pixels around it
_SAMPLES = 24  # across a box, to measure shares of an area
_ROUNDING_SECONDS = 1e-6
_PEAK = 255.0
_MIN_ERROR = 1e-3  # square levels: below that, 78 dB, frames are identical


def _ellipse(points: int) -> npt.NDArray[np.bool_]:
    centers = (np.arange(points) + 0.5 - points / 2) / (points / 2)
    inside: npt.NDArray[np.bool_] = np.square(centers) + np.square(centers)[:, None] <= 1
    return inside


_ELLIPSE = _ellipse(_PATCH_POINTS)
_SAMPLE_ELLIPSE = _ellipse(_SAMPLES)


def face_patch(gray: Gray, box: Box, parameters: VerificationParameters) -> FacePatch | None:
    """Return what a frame shows in a box; None if the box is too small, or outside of the frame.

    Beyond the border the frame's last rows and columns are repeated.
    """
    smallest = parameters.min_face_px
    if box.is_empty or min(box.width, box.height) < smallest:
        return None
    height, width = gray.shape
    left, top, right, bottom = box.outward()
    left, top = max(0, left - _CROP_MARGIN_PX), max(0, top - _CROP_MARGIN_PX)
    right, bottom = min(width, right + _CROP_MARGIN_PX), min(height, bottom + _CROP_MARGIN_PX)
    if right - left < smallest or bottom - top < smallest:
        return None
    crop = gray[top:bottom, left:right]
    shrink = max(1.0, min(box.width, box.height) / _PATCH_POINTS)
    size = max(1, round((right - left) / shrink)), max(1, round((bottom - top) / shrink))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    x_ratio, y_ratio = size[0] / (right - left), size[1] / (bottom - top)
    place = box.moved(-left, -top).scaled(x_ratio, y_ratio)
    across, down = place.width / _PATCH_POINTS, place.height / _PATCH_POINTS
    # Pixel centers lie at halves.
    x, y = place.left + across / 2 - 0.5, place.top + down / 2 - 0.5
    return cv2.warpAffine(
        small.astype(np.float32),
        np.array([[across, 0, x], [0, down, y]]),
        (_PATCH_POINTS, _PATCH_POINTS),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32, copy=False)


def cell_errors(before: Gray, after: Gray) -> CellErrors:
    """Return how much each cell of a frame changed."""
    square = np.square(cv2.absdiff(before, after).astype(np.float32))
    height, width = before.shape
    size = max(1, width // _CELL_PX), max(1, height // _CELL_PX)
    return np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.float32)


def encoder_noise(errors: CellErrors, parameters: VerificationParameters) -> float:
    """Return what the encoder alone changed, in square levels."""
    return min(float(np.quantile(errors, parameters.noise_quantile)), parameters.max_noise)


def visible_share(
    before: FacePatch, after: FacePatch, noise: float, parameters: VerificationParameters
) -> float:
    """Return how much of a face's detail is still visible, 0 to 1.

    Around each point of the inscribed ellipse, the difference of both patches is compared with the
    detail before: a change as strong as the detail has replaced it. Points count by their detail,
    so that a bare cheek, which no blur can change, does not count as visible.

    Args:
        before: the face in the source.
        after: the same place in the output.
        noise: what the encoder changes where nothing is hidden, in square levels.
        parameters: thresholds.
    """
    fine_px, coarse_px = parameters.fine_px, parameters.coarse_px
    fine_before, fine_after = before - _blurred(before, fine_px), after - _blurred(after, fine_px)
    fine = _blurred(np.square(fine_before), fine_px)
    fine_change = _blurred(np.square(fine_before - fine_after), fine_px)
    coarse = _blurred(np.square(before - _blurred(before, coarse_px)), coarse_px / 2)
    change = _blurred(np.square(before - after), fine_px)
    allowed = 2 * noise
    same = fine_change < parameters.replaced_energy_share * fine + allowed
    same &= change < parameters.replaced_energy_share * coarse + allowed
    weight = np.sqrt(fine) * _ELLIPSE
    total = float(weight.sum())
    return float(weight[same].sum()) / total if total > 0 else float(same[_ELLIPSE].mean())


def face_core(box: Box, parameters: VerificationParameters) -> Box:
    """Return the part of a face's box with eyes, nose and mouth, and nothing next to the head."""
    return box.padded(parameters.core_padding_ratio)


def shows_detail(core: FacePatch, parameters: VerificationParameters) -> bool:
    """Return whether the core of a face, by itself, may be a face as a camera saw it.

    Blur, fog and a flat color have no fine detail. A mosaic has all of it in a few rows and
    columns. An image laid over a face has detail and cannot be distinguished from a face.
    """
    fine = (core - _blurred(core, parameters.fine_px))[_ELLIPSE]
    finest = np.abs(core - _blurred(core, 1.0))[_ELLIPSE]
    return (
        float(np.sqrt(np.square(fine).mean())) >= parameters.min_detail_levels
        and float((finest > parameters.fine_levels).mean()) >= parameters.min_fine_share
        and _edge_share(core) <= parameters.max_edge_share
    )


def _edge_share(patch: FacePatch) -> float:
    """Return how much of all brightness steps lies in the quarter of the lines that has most."""
    middle = slice(_PATCH_POINTS // 6, -_PATCH_POINTS // 6)
    across = np.abs(np.diff(patch, axis=1))[middle].mean(axis=0)
    down = np.abs(np.diff(patch, axis=0))[:, middle].mean(axis=1)
    return (_top_quarter(across) + _top_quarter(down)) / 2


def _top_quarter(steps: npt.NDArray[np.float32]) -> float:
    total = float(steps.sum())
    ordered = np.sort(steps)[::-1]
    return float(ordered[: len(ordered) // 4].sum()) / total if total > 0 else 1.0


def _blurred(values: npt.NDArray[Any], sigma_px: float) -> FacePatch:
    blurred = cv2.GaussianBlur(values, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def unhidden_share(box: Box, hidden: Sequence[Box]) -> float:
    """Return how much of a box's ellipse lies outside the ellipses of all hidden boxes, 0 to 1."""
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    x = box.left + steps * box.width
    y = (box.top + steps * box.height)[:, None]
    unhidden = _SAMPLE_ELLIPSE.copy()
    for other in hidden:
        if other.is_empty or other.intersection_area(box) == 0:
            continue
        center_x, center_y = other.center
        across = np.square((x - center_x) / (other.width / 2))
        down = np.square((y - center_y) / (other.height / 2))
        unhidden &= across + down > 1
    return float(unhidden.sum()) / float(_SAMPLE_ELLIPSE.sum())


def unhidden_errors(
    errors: CellErrors, size: tuple[int, int], hidden: Iterable[Box], min_share: float
) -> CellErrors | None:
    """Return the errors of all cells outside of hidden boxes, in a row; None if they are too few.

    Args:
        errors: of the whole frame.
        size: (width, height) of the frame in pixels.
        hidden: boxes that may have changed.
        min_share: share of all cells that must be left.
    """
    rows, columns = errors.shape
    is_outside = np.ones(errors.shape, np.bool_)
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
        self, index: int, errors: CellErrors, size: tuple[int, int], hidden: Iterable[Box]
    ) -> None:
        """Record how a frame differs outside of what is hidden.

        Args:
            index: number of the frame.
            errors: of the whole frame.
            size: (width, height) of the frame in pixels.
            hidden: boxes that may have changed.
        """
        rest = unhidden_errors(errors, size, hidden, self._parameters.min_compared_share)
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
            text = (
                f"{len(self._different)} frames show something else than the input, or hide "
                f"almost all of it; the first is frame {self._different[0]}"
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
