"""What a classifier sees: a square around a box, at a fixed size. Training uses the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image

SIDE_PX = 64
"""Width and height of a crop."""

CONTEXT_RATIO = 2.0
"""How many face sizes a crop shows: hair and shoulders tell a face from what looks like one."""

BORDER_BGR = (127, 127, 127)
"""What a crop shows beyond the border of the image."""

_MIN_SIZE_PX = 1.0
_DARK_SHARE = 0.97  # of a crop's pixels that are not its lightest
_LIGHT_LEVEL = 150  # of 255: a crop is dark if the lightest of these are darker, and made as light
_MAX_GAIN = 4.0  # beyond it, noise would become a picture


def crop(image: Image, box: Box) -> Image:
    """Return what surrounds a box, a BGR image of `SIDE_PX` x `SIDE_PX`.

    Beyond the border it is gray; in the dark it is `brightened`.

    Args:
        image: A BGR image of any size.
        box: A place in it, in pixels.
    """
    x, y = box.center
    scale = SIDE_PX / (CONTEXT_RATIO * max(box.size, _MIN_SIZE_PX))
    motion = np.array([[scale, 0, SIDE_PX / 2 - scale * x], [0, scale, SIDE_PX / 2 - scale * y]])
    return brightened(transformed(image, motion), shown_pixels(image, motion))


def transformed(image: Image, motion: npt.NDArray[np.float64]) -> Image:
    """Return a crop of an image that a 2x3 matrix maps to it, in continuous coordinates.

    What the matrix shrinks is averaged, so that nothing aliases.
    """
    motion = motion.copy()
    scale = float(np.sqrt(abs(np.linalg.det(motion[:, :2]))))
    if scale <= 0.5:
        image, motion = _reduced(image, motion, int(1 / scale))
    motion[:, 2] += motion[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV's pixels have integer centers
    size = SIDE_PX, SIDE_PX
    warped = cv2.warpAffine(
        image, motion, size, borderMode=cv2.BORDER_CONSTANT, borderValue=BORDER_BGR
    )
    return np.asarray(warped, np.uint8)


def _reduced(
    image: Image, motion: npt.NDArray[np.float64], divisor: int
) -> tuple[Image, npt.NDArray[np.float64]]:
    """Return the part of the image that is seen, `divisor` times smaller, and its matrix."""
    height, width = image.shape[:2]
    back = cv2.invertAffineTransform(motion)
    corners = np.array([[0, 0], [SIDE_PX, 0], [0, SIDE_PX], [SIDE_PX, SIDE_PX]], np.float64)
    seen = corners @ back[:, :2].T + back[:, 2]
    low = np.floor(seen.min(0) / divisor).astype(int) * divisor
    left, top = np.clip(low, 0, (width - 1, height - 1)).tolist()
    right, bottom = np.clip(np.ceil(seen.max(0)).astype(int) + 1, 1, (width, height)).tolist()
    part = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    rows, columns = part.shape[:2]
    size = max(1, columns // divisor), max(1, rows // divisor)
    small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    motion[:, 2] += motion[:, :2] @ (left, top)
    motion[:, :2] = motion[:, :2] @ np.diag((columns / size[0], rows / size[1]))
    return small, motion


def shown_pixels(image: Image, motion: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which pixels of a `transformed` image show that image, and none of the gray around it.

    Returns:
        Shape (`SIDE_PX`, `SIDE_PX`).
    """
    height, width = image.shape[:2]
    back = cv2.invertAffineTransform(motion)
    centers = np.arange(SIDE_PX) + 0.5
    x, y = back[:, :1, None] * centers + back[:, 1:2, None] * centers[:, None] + back[:, 2:, None]
    scale = float(np.sqrt(abs(np.linalg.det(motion[:, :2]))))
    reach = 0.5 / min(1.0, scale)  # half a pixel of the crop or of the image: they are mixed
    is_inside = (x >= reach) & (x <= width - reach) & (y >= reach) & (y <= height - reach)
    return np.asarray(is_inside, np.bool_)


def brightened(image: Image, is_shown: npt.NDArray[np.bool_]) -> Image:
    """Return a dark crop as if it had been exposed longer; what lies beyond the border stays gray.

    Without this, faces in the dark get odds that are too low
    (docs/decisions/0091-brighten-what-a-classifier-sees-in-the-dark.md).

    Args:
        image: A crop.
        is_shown: Which of its pixels are not beyond the border, shape (`SIDE_PX`, `SIDE_PX`).
    """
    lightest = cv2.max(cv2.max(image[..., 0], image[..., 1]), image[..., 2])
    counts = np.bincount(lightest[is_shown], minlength=256).cumsum()
    light = int(np.searchsorted(counts, _DARK_SHARE * counts[-1]))
    if light >= _LIGHT_LEVEL:
        return image
    brighter = cv2.convertScaleAbs(image, alpha=min(_MAX_GAIN, _LIGHT_LEVEL / max(light, 1)))
    return np.where(is_shown[..., None], brighter, image)


def levels(image: Image) -> npt.NDArray[np.float32]:
    """Return a crop as the network's input, shape (3, `SIDE_PX`, `SIDE_PX`)."""
    planes = (image.astype(np.float32) - 127.5) / 64
    return np.ascontiguousarray(planes.transpose(2, 0, 1))
