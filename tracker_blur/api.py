"""The library's functions: hide faces in a video, an image, an array, or frames of your own."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.frame import Image, VideoInfo
from tracker_blur.errors import SettingsError
from tracker_blur.files.jobs import Job
from tracker_blur.images.frame import ImageFrame
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.core.report import Progress, Report


def redact_video(
    source: str | Path,
    target: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Report:
    """Write a copy of a video in which every face is hidden and everything else is as it was.

    Args:
        source: the video.
        target: where to write the copy; its suffix says in which container.
        settings: how faces are detected and hidden; the defaults if None.
        progress: called with the report so far after each frame; raise in it to stop the run.

    Returns:
        What was done.

    Raises:
        TrackerBlurError: the video cannot be redacted; `tracker_blur.errors` says why. Then no
            target is left.
    """
    job = Job(Path(source), Path(target), "video")
    return Engine(settings or Settings()).redact_file(job, progress)


def redact_image(
    source: str | Path, target: str | Path, settings: Settings | None = None
) -> Report:
    """Write a copy of an image, still or animated, in which every face is hidden.

    Args:
        source: the image.
        target: where to write the copy; its suffix says in which format.
        settings: how faces are detected and hidden; the defaults if None.

    Returns:
        What was done.

    Raises:
        TrackerBlurError: the image cannot be redacted; `tracker_blur.errors` says why. Then no
            target is left.
    """
    job = Job(Path(source), Path(target), "image")
    return Engine(settings or Settings()).redact_file(job)


def redact_picture(
    source: str | Path, target: str | Path, settings: Settings | None = None
) -> Report:
    """Do the same as `redact_image`, under its older name."""
    return redact_image(source, target, settings)


def redact_array(image: Image, settings: Settings | None = None) -> Image:
    """Return a copy of an image in which every face is hidden.

    Args:
        image: shape (height, width, 3), BGR, uint8.
        settings: how faces are detected and hidden; the defaults if None.

    Returns:
        An array of the same shape and type.

    Raises:
        ValueError: the image is not such an array.
        TrackerBlurError: a setting makes no sense, or a weight file is missing.
    """
    info = _info(image, Fraction(1), is_moving=False)
    return next(_redact([image], info, settings))


def redact_frames(
    images: Iterable[Image], rate: float, settings: Settings | None = None
) -> Iterator[Image]:
    """Yield a copy of each frame of one video with every face hidden, as the frames come.

    Args:
        images: frames of the same size, shape (height, width, 3), BGR, uint8.
        rate: frames per second.
        settings: how faces are detected, tracked and hidden; the defaults if None.

    Yields:
        Arrays of the same shape and type.

    Raises:
        SettingsError: the rate is not a number above 0.
        ValueError: a frame is not such an array.
        TrackerBlurError: a setting makes no sense, or a weight file is missing.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise SettingsError(f"rate is {rate}: give the frames per second, a number above 0")
    exact = Fraction(rate).limit_denominator(100_000)
    return _redact_all(iter(images), exact, settings)


def _redact_all(
    images: Iterator[Image], rate: Fraction, settings: Settings | None
) -> Iterator[Image]:
    try:
        first = next(images)  # it says the size
    except StopIteration:
        return
    yield from _redact(itertools.chain([first], images), _info(first, rate), settings)


def _redact(images: Iterable[Image], info: VideoInfo, settings: Settings | None) -> Iterator[Image]:
    engine = Engine(settings or Settings())
    frames = (_frame(image, index, info.rate) for index, image in enumerate(images))
    for frame, faces in engine.single_pass(info)(frames):
        engine.redact(frame, faces)
        yield np.asarray(cv2.merge([plane.samples for plane in frame.planes()][::-1]), np.uint8)


def _info(image: Image, rate: Fraction, is_moving: bool = True) -> VideoInfo:
    _check(image)
    height, width = image.shape[:2]
    return VideoInfo((width, height), Fraction(1), rate, None, is_moving)


def _frame(image: Image, index: int, rate: Fraction) -> ImageFrame:
    _check(image)
    blue, green, red = cv2.split(image)
    return ImageFrame((red, green, blue), index=index, pts=index, time_base=1 / rate)


def _check(image: Image) -> None:
    if not isinstance(image, np.ndarray):  # cv2.imread returns None for what it cannot read
        raise ValueError(f"the image is {image!r}: give a BGR array; could its file be read?")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"the image has shape {image.shape} and samples of {image.dtype}: "
            "give a BGR array of shape (height, width, 3) and type uint8"
        )
