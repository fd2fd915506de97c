"""Images that callers pass, as frames, and frames as arrays like those that they passed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.api.arguments import path_of, shown
from tracker_blur.errors import InputError, SourceError
from tracker_blur.images.frame import ImageFrame
from tracker_blur.images.reader import ImageReader
from tracker_blur.settings import MAX_MEGAPIXELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from tracker_blur.core.frame import Samples

ChannelOrder = Literal["bgr", "rgb"]
"""The order of an array's color channels: "bgr" as OpenCV has them, "rgb" as Pillow has them."""

Array: TypeAlias = npt.NDArray[Any]
"""An image, uint8 or uint16, shape (height, width) or (height, width, 1) in gray,
(height, width, 3) in color, (height, width, 4) in color with alpha last."""

ImageInput: TypeAlias = str | os.PathLike[str] | bytes | Array | None
"""An image: the path of its file, the bytes of its file, or an array.

None is what `cv2.imread` returns for what it cannot read. It is accepted by type checkers and
refused when it is passed."""

_NO_NAME = Path("the image")
_SAMPLE_TYPES = (np.uint8, np.uint16)


def frame_of(
    image: object, channels: ChannelOrder = "bgr", max_megapixels: float = MAX_MEGAPIXELS
) -> ImageFrame:
    """Return an image as a frame of its own samples; the input is never written to.

    Args:
        image: as `ImageInput` says.
        channels: the order of an array's color channels.
        max_megapixels: the most pixels of a file's image, in millions.

    Raises:
        InputError: It is none of these.
        SourceError: The file cannot be read, or holds several images.
    """
    check_order(channels)
    if isinstance(image, np.ndarray):
        return _frame_of_array(image, channels)
    if isinstance(image, (bytes, bytearray, memoryview)):
        content = bytes(image)
        reader = ImageReader(_NO_NAME, content=content, max_megapixels=max_megapixels)
        return _only_frame(reader, _NO_NAME)
    if isinstance(image, (str, os.PathLike)):
        path = path_of(image, "the image")
        return _only_frame(ImageReader(path, max_megapixels=max_megapixels), path)
    raise InputError(
        f"the image is {shown(image)}: give an array, a path, or the bytes of a file"
        + ("; could its file be read?" if image is None else "")
    )


def frames_of(
    images: Iterator[ImageInput],
    rate: Fraction,
    channels: ChannelOrder,
    inputs: list[Any],
    max_megapixels: float,
) -> Iterator[ImageFrame]:
    """Yield images as the frames of one video.

    Args:
        images: of the same size and type.
        rate: frames per second.
        channels: the order of the color channels of arrays.
        inputs: each array is appended here when its frame is yielded; None for a file.
        max_megapixels: the most pixels of a file's image, in millions.

    Raises:
        InputError: One is no image, or not like the first.
    """
    form: tuple[object, ...] = ()
    for index, image in enumerate(images):
        frame = frame_of(image, channels, max_megapixels)
        frame.index, frame.pts, frame.time_base = index, index, 1 / rate
        this_form = frame.size, frame.layout, frame.alpha is None
        form = form or this_form
        if this_form != form:
            raise InputError(
                f"frame {index} has {frame.size[0]}x{frame.size[1]} pixels in "
                f"{array_of(frame).dtype}, shape {array_of(frame).shape}, and is not like the "
                "frames before: give frames of the same size and type"
            )
        inputs.append(image if isinstance(image, np.ndarray) else None)
        yield frame


def array_of(frame: ImageFrame, channels: ChannelOrder = "bgr") -> Array:
    """Return a frame as an array: (height, width) in gray, else 3 channels, or 4 with alpha."""
    planes = list(frame.channels if channels == "rgb" else frame.channels[::-1])
    if frame.alpha is not None:
        planes = (planes * 3 if len(planes) == 1 else planes) + [frame.alpha]
    if len(planes) == 1:
        return planes[0]
    return np.asarray(cv2.merge(planes))


def array_like(frame: ImageFrame, image: object, channels: ChannelOrder) -> Array:
    """Return a frame as an array; of the same shape as the input if that was an array."""
    array = array_of(frame, channels)
    return array.reshape(image.shape) if isinstance(image, np.ndarray) else array


def check_order(channels: object) -> None:
    """Raise InputError for what is not a `ChannelOrder`."""
    if not isinstance(channels, str) or channels not in get_args(ChannelOrder):
        raise InputError(f"channels is {shown(channels)}: give 'bgr' or 'rgb'")


def _frame_of_array(image: Array, channels: ChannelOrder) -> ImageFrame:
    is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3, 4))
    if image.dtype not in _SAMPLE_TYPES or not is_image or image.size == 0:
        raise InputError(
            f"the image has shape {image.shape} and samples of {image.dtype}: "
            f"give a {channels.upper()} array of shape (height, width, 3) and type uint8; gray "
            "(height, width), alpha (height, width, 4) and uint16 are accepted too"
        )
    planes = image[..., None] if image.ndim == 2 else image
    separate: list[Samples] = [planes[..., i].copy() for i in range(planes.shape[2])]
    alpha = separate.pop() if len(separate) == 4 else None
    return ImageFrame(tuple(separate if channels == "rgb" else separate[::-1]), alpha)


def _only_frame(reader: ImageReader, path: Path) -> ImageFrame:
    frames = iter(reader)
    frame = next(frames)
    if next(frames, None) is not None:
        raise SourceError(
            f"{path}: holds several images: redact it with `redact_image`, or pass one of them as "
            "an array"
        )
    return frame
