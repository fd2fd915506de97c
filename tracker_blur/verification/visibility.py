"""Evidence on pixels: how much of a face is visible.

A detector cannot judge that: YuNet scores blurred heads with 0.6 and more. So faces are judged by
their pixels, all resampled to the same size, where detail means what is finer than an eighth of a
face's width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.verification.frame_comparison import CellErrors, Gray
    from tracker_blur.verification.parameters import VerificationParameters

FacePatch: TypeAlias = npt.NDArray[np.float32]
"""Brightness in a face's box, resampled to 48 by 48 points."""

_PATCH_POINTS = 48
_CROP_MARGIN_PX = 8  # so that resampling a box knows the pixels around it
_SAMPLES = 24  # across a box, to measure shares of an area


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
