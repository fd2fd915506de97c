"""Random places without an object: backgrounds, bodies, and what lies below a face."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.training.verifier.labels import TOO_LARGE, Boxes, LabeledCandidates, overlaps

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Rng

_SMALLEST_PX, _LARGEST_SHARE = 10.0, 1.1  # of a random box; share of the image's longer side
_HELD_SHARE = 0.5  # of an object that lies in a box
_FREE_SHARE, _FREE_IGNORED_SHARE = 0.05, 0.1


def around(x: float, y: float, width: float, height: float) -> Boxes:
    """Return the box of a size around a center."""
    return np.array((x - width / 2, y - height / 2, x + width / 2, y + height / 2))


def random_box(image: Image, rng: Rng) -> Boxes:
    """Return a box of any size at any place of the image, a little beyond its border at most."""
    rows, columns = image.shape[:2]
    largest = _LARGEST_SHARE * max(rows, columns)
    size = math.exp(rng.uniform(math.log(_SMALLEST_PX), math.log(max(largest, _SMALLEST_PX + 1))))
    aspect = math.exp(rng.normal(0, 0.3))
    width, height = size * aspect, size / aspect
    x, y = (
        rng.uniform(min(0.4 * side, length / 2), max(length - 0.4 * side, length / 2))
        for side, length in ((width, columns), (height, rows))
    )
    return around(x, y, width, height)


def much_larger_box(one: Boxes, labeled: Boxes, rng: Rng) -> tuple[Boxes, bool]:
    """Return a box of a body's size around an object, and whether it is too large for any."""
    width, height = (one[2:] - one[:2]).tolist()
    factor = math.exp(rng.uniform(math.log(2.8), math.log(9)))
    wide, high = width * factor * math.exp(rng.normal(0, 0.15)), height * factor
    left = one[0] + width / 2 - wide * rng.uniform(0.2, 0.8)
    top = one[1] + height / 2 - high * rng.uniform(0.15, 0.7)
    box = np.array((left, top, left + wide, top + high))
    held = overlaps(box[None], labeled)[2][0] > _HELD_SHARE
    areas = (labeled[:, 2:] - labeled[:, :2]).prod(1)
    return box, not (held & (wide * high < TOO_LARGE * areas)).any()


def box_below(one: Boxes, rng: Rng) -> Boxes:
    """Return a box where chest, hands or legs are."""
    width, height = (one[2:] - one[:2]).tolist()
    factor = math.exp(rng.normal(0, 0.4))
    x, top = one[0] + rng.normal(0.5, 1.2) * width, one[3] + height * rng.uniform(0.4, 4)
    return np.array((x - width * factor / 2, top, x + width * factor / 2, top + height * factor))


def is_free(box: Boxes, size: tuple[int, int], known: LabeledCandidates) -> bool:
    """Return whether a box lies in its image, and touches no object, nor what may be one.

    Args:
        box: The box.
        size: Width and height of the image.
        known: What is known of the image.
    """
    if box[0] >= size[0] or box[1] >= size[1] or min(box[2], box[3]) <= 0:
        return False
    of_box, of_object = overlaps(box[None], known.labeled)[1:]
    undecided = overlaps(box[None], known.undecided)[1].max(initial=0)
    is_clear = of_box.max(initial=0) <= _FREE_SHARE and of_object.max(initial=0) <= _HELD_SHARE
    return bool(is_clear and undecided <= _FREE_IGNORED_SHARE)
