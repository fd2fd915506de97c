"""How crops are moved, rotated and made worse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.classifiers.crops import CONTEXT_RATIO, SIDE_PX
from tracker_blur.training.corruption import add_noise, blur, change_light, compress

if TYPE_CHECKING:
    import numpy.typing as npt

    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Rng
    from tracker_blur.training.recipe import CropAugmentation
    from tracker_blur.training.verifier.labels import Boxes


def random_motion(box: Boxes, augmentation: CropAugmentation, rng: Rng) -> npt.NDArray[np.float64]:
    """Return a 2x3 matrix from the image to a crop around the box, moved, rotated and mirrored."""
    width, height = np.maximum(box[2:] - box[:2], 1.0).tolist()
    size, moved = math.sqrt(width * height), augmentation.moved_ratio
    center = (box[:2] + box[2:]) / 2 + rng.normal(0, moved, 2) * size
    scale = SIDE_PX / (CONTEXT_RATIO * size * math.exp(rng.normal(0, 1.3 * moved)))
    low, high = augmentation.widened
    stretch = math.sqrt(math.exp(rng.uniform(math.log(low), math.log(high))))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    if rng.random() < augmentation.any_rotation_share:
        degrees = rng.uniform(-augmentation.turned_deg, augmentation.turned_deg)
    else:
        degrees = rng.normal(0, augmentation.usual_rotation_deg)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    rotation = np.array(((cosine, -sine), (sine, cosine)))
    linear = rotation @ np.diag((scale * stretch * flip, scale / stretch))
    return np.concatenate((linear, (SIDE_PX / 2 - linear @ center)[:, None]), 1)


def spoil(crop: Image, rng: Rng) -> Image:
    """Return the crop as a worse camera, another light, or an occlusion would show it."""
    if rng.random() < 0.25:
        crop = _occlude(crop.copy(), rng)
    crop = change_light(crop, rng)
    if rng.random() < 0.35:
        crop = _lower_resolution(crop, rng)
    if rng.random() < 0.2:
        crop = blur(crop, rng)
    if rng.random() < 0.25:
        crop = add_noise(crop, rng.uniform(2, 16), rng)
    if rng.random() < 0.25:
        crop = compress(crop, int(rng.integers(20, 85)))
    return crop


def _occlude(crop: Image, rng: Rng) -> Image:
    """Hide a part behind one color, or behind another part."""
    side = len(crop)
    width, height = (int(share * side) for share in rng.uniform(0.1, 0.45, 2))
    x, y, other_x, other_y = (
        int(rng.integers(0, side - length)) for length in (width, height, width, height)
    )
    if rng.random() < 0.5:
        crop[y : y + height, x : x + width] = rng.integers(0, 256, 3)
    else:
        other = crop[other_y : other_y + height, other_x : other_x + width].copy()
        crop[y : y + height, x : x + width] = other
    return crop


def _lower_resolution(crop: Image, rng: Rng) -> Image:
    """Shrink and enlarge again: a face of 7 px fills 32 px of a crop."""
    side = len(crop)
    small = max(8, int(side * math.exp(rng.uniform(math.log(0.2), 0))))
    method = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    reduced = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (side, side), interpolation=method), np.uint8)
